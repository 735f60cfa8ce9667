import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { fromRoutes } from '../../../console/dev/real/from-routes.ts';
import { alertRoutes } from '../../../src/gateway/manage/alert-routes.ts';
import { alarmIn, alertsSide, HOOK } from '../../../src/incident/alerts/alerts.fixture.ts';
import { barriersOn } from './accessibility.ts';
import { keepPicture, LOOKS } from './looks.ts';
import { onFixture } from './on-fixture.ts';
import { hasChromium, settled } from './open-browser.ts';

const DAY = 86_400_000;

describe.skipIf(!hasChromium)(
  'buttons of the console that other tests do not press (needs /usr/bin/chromium)',
  () => {
    const on = onFixture();
    const dialog = (page: Page) => page.getByRole('dialog');
    const press = (page: Page, name: string | RegExp) =>
      page.getByRole('button', { name, exact: true }).click();

    describe('a case', () => {
      it('is worked on; what somebody else asked for is declined, what one asked for is taken back', async () => {
        const { page, server } = await on.visit('/cases/C-2026-0012', { pace: 0 });
        await press(page, 'Work on it');
        await page.getByText('In work.').waitFor();
        expect(server.world.cases.get('C-2026-0012')!.state).toBe('working');
        await press(page, 'Decline');
        await page.getByText('Declined.').waitFor();
        expect(server.acts.at(-1)).toMatchObject({
          path: '/api/cases/C-2026-0012/decline',
          body: { act: 'ask-1' },
        });
        await page.getByRole('button', { name: 'Ask for it' }).first().click();
        await dialog(page).getByRole('button', { name: 'Ask for it' }).click();
        const back = page.getByRole('button', { name: 'Take back' });
        await back.waitFor();
        // Nobody is their own second person.
        expect(await page.getByRole('button', { name: 'Agree' }).count()).toBe(0);
        await back.click();
        await back.waitFor({ state: 'detached' });
        expect(server.acts.at(-1)).toMatchObject({ path: '/api/cases/C-2026-0012/decline' });
        expect(server.world.orders.some(({ measure }) => measure === 'quarantine')).toBe(false);
      });

      it('is closed, opened again, and said to be contained', async () => {
        const { page, server } = await on.visit('/cases/C-2026-0010', { pace: 0 });
        await press(page, 'Close');
        await page.getByLabel(/A false alarm/).check();
        await press(page, 'Close the case');
        await press(page, 'Open again');
        await dialog(page).getByRole('button', { name: 'Open again' }).click();
        await page.getByText('The case is open again.').waitFor();
        expect(server.world.cases.get('C-2026-0010')!.state).toBe('working');
        await press(page, 'It is contained');
        await page.getByText('Contained.', { exact: true }).waitFor();
        expect(server.world.cases.get('C-2026-0010')!.state).toBe('contained');
      });

      it('is searched by tenant, version, file, feed, data and time, and says what was asked', async () => {
        const { page, server } = await on.visit('/cases/C-2026-0010?tab=impact', { pace: 0 });
        await settled(page);
        const find = page.getByRole('button', { name: 'Find out' });
        await page.getByText('By version, tenant, feed, file or data').click();
        await page.getByLabel(/^Client/).fill('');
        await page.getByLabel(/^Trained on/).fill('sha256:12');
        await page.getByText(/64 hexadecimal digits/).waitFor();
        expect(await find.isDisabled()).toBe(true);
        const digest = `sha256:${'0a'.repeat(32)}`;
        await page.getByLabel(/^Trained on/).fill(digest);
        await page.getByLabel(/^File that answered/).fill(digest);
        await page.getByLabel(/^Tenant/).fill('trial');
        await page.getByLabel(/^Feed/).fill('price');
        await page.getByRole('combobox', { name: 'Version that answered' }).selectOption('3');
        await page.getByLabel(/^From/).fill('2026-11-01T08:00');
        await page.getByLabel(/^To /).fill('');
        await page.getByRole('combobox', { name: 'Replayed by' }).selectOption('4');
        expect(await barriersOn(page)).toEqual([]);
        await keepPicture(page, 'impact-asked', LOOKS[0]);
        await find.click();
        await page.getByText(/models trained on/).waitFor();
        await page.getByRole('link', { name: /The evidence, signed/ }).waitFor();
        expect(server.acts.find(({ path }) => path.endsWith('/impact'))!.body).toEqual({
          scope: {
            ...{ tenant: 'trial', model: 'traffic-signs', version: '3', digest, feed: 'price', data: digest },
            from: new Date('2026-11-01T08:00').getTime(),
          },
          against: '4',
        });
      });
    });

    it.each([
      ['Throttle', { measure: 'throttle', perMinute: 30 }, 'Throttle'],
      ['Class alone', { measure: 'degrade', detail: 'label' }, 'Degrade'],
    ] as const)('a client is met by “%s”', async (button, wish, verb) => {
      const { page, server } = await on.visit('/traffic/mallory-labs', { pace: 0 });
      await press(page, button);
      await dialog(page).getByRole('button', { name: verb }).click();
      await page.getByText('Done: it is in force.').waitFor();
      expect(server.acts.at(-1)).toMatchObject({
        path: '/api/orders',
        body: { wish: { ...wish, target: { principal: 'mallory-labs' } } },
      });
    });

    describe('a model', () => {
      it('says of a rollback that takes two persons that it waits, and where', async () => {
        const asked = { asked: 'ask-9', case: { id: 'C-2026-0044' } };
        const { page, server } = await on.visit('/models/traffic-signs', {
          pace: 0,
          more: [{ method: 'POST', path: '/api/models/:name/rollback', run: () => asked }],
        });
        await page.getByRole('button', { name: /Back to version/ }).click();
        await dialog(page).getByRole('button', { name: 'Roll back' }).click();
        await page.getByText('Asked: it waits for a second person, in the case C-2026-0044.').waitFor();
        expect(server.world.service.get('traffic-signs')!.use).toBe('3');
      });

      it('gets a first canary', async () => {
        const { page, server } = await on.visit('/models/traffic-signs', { pace: 0 });
        await press(page, 'End the canary');
        await dialog(page).getByRole('button', { name: 'End it' }).click();
        await press(page, 'Canary of 4');
        expect(await dialog(page).textContent()).toMatch(/answer 5\s%/);
        await dialog(page).getByRole('button', { name: 'Begin' }).click();
        await page.getByText('The canary has begun.').waitFor();
        expect(server.acts.at(-1)).toMatchObject({
          path: '/api/models/traffic-signs/canary',
          body: { version: '4', share: 0.05 },
        });
      });
    });

    describe('what if', () => {
      it('a rate were another', async () => {
        const change = { kind: 'rate', per: 'principal', requests: 125, every: 1000 };
        const { page, server } = await on.visit('/policy?tab=limits', {
          pace: 0,
          more: [{ method: 'POST', path: '/api/what-if', run: () => answered(change, { looked: 40 }) }],
        });
        await settled(page);
        await page
          .getByRole('button', { name: /What if each principal had another rate than 500 a second/ })
          .click();
        await dialog(page)
          .getByLabel(/^Requests/)
          .fill('-40');
        await press(page, 'Replay');
        await dialog(page)
          .getByText(/Of 40 calls/)
          .waitFor();
        expect(server.acts.at(-1)!.body).toMatchObject({ change });
        expect(await barriersOn(page)).toEqual([]);
      });

      it('samples of everybody together were rated otherwise', async () => {
        const change = { kind: 'rate', per: 'all', samples: 5000, every: 1000 };
        const { page, server } = await on.visit('/policy?tab=limits', {
          pace: 0,
          more: [{ method: 'POST', path: '/api/what-if', run: () => answered(change, { looked: 40 }) }],
        });
        await settled(page);
        await page
          .getByRole('button', {
            name: 'What if everybody together had another rate than 20,000 samples a second?',
          })
          .click();
        await dialog(page)
          .getByLabel(/^Samples/)
          .fill('-40');
        await press(page, 'Replay');
        await dialog(page)
          .getByText(/Of 40 calls/)
          .waitFor();
        expect(server.acts.at(-1)!.body).toMatchObject({ change });
      });

      it('a guard had been another that was not on: nothing can be said, and how to learn it', async () => {
        const change = { kind: 'guard', guard: 'prada', threshold: 0.5, action: 'flag' };
        const { page } = await on.visit('/policy?tab=guards', {
          pace: 0,
          more: [
            { method: 'POST', path: '/api/what-if', run: () => answered(change, { looked: 0, unseen: 31 }) },
          ],
        });
        await settled(page);
        await page.getByText('not on', { exact: true }).waitFor();
        await page.getByRole('button', { name: /What if prada of .* were on\?/ }).click();
        await dialog(page).getByText('calibrated 0.5').waitFor();
        await press(page, 'Replay');
        await dialog(page).getByText('Of 31 further calls nothing can be said').waitFor();
        await dialog(page)
          .getByText(/Put it on with “action: flag”/)
          .waitFor();
        expect(await dialog(page).getByText('Nobody would have noticed').count()).toBe(0);
      });

      it('a guard had been on: it is shown what was kept', async () => {
        const change = { kind: 'guard', guard: 'prada', threshold: 0.5, action: 'flag' };
        const { page, server } = await on.visit('/policy?tab=guards', {
          pace: 0,
          more: [
            {
              ...{ method: 'POST', path: '/api/what-if' },
              run: () => answered(change, { looked: 50, lookedAgain: 20, unseen: 4 }),
            },
          ],
        });
        await settled(page);
        await page.getByRole('button', { name: /What if prada of .* were on\?/ }).click();
        await press(page, 'Replay');
        await dialog(page).getByText('20 of them were put to the guard now').waitFor();
        await dialog(page).getByText('Of 4 further calls nothing can be said').waitFor();
        expect(server.acts.at(-1)!.body).toMatchObject({ change });
        expect(await barriersOn(page)).toEqual([]);
      });
    });

    it.each([
      ['/cases', 'Open a case'],
      ['/cases', 'Take a measure'],
      ['/cases/C-2026-0012', 'Close'],
      ['/traffic/mallory-labs', 'Throttle'],
    ])('%s: “%s” is cancelled, and nothing is done', async (path, button) => {
      const { page, server } = await on.visit(path, { pace: 0 });
      await press(page, button);
      await dialog(page).getByRole('button', { name: 'Cancel' }).click();
      await dialog(page).waitFor({ state: 'detached' });
      expect(server.acts).toEqual([]);
    });

    it('calls that come are held still, and go on', async () => {
      const { page, server } = await on.visit('/traffic', { pace: 0 });
      await page.getByText('Live', { exact: true }).first().waitFor();
      await press(page, 'Hold still');
      const call = (principal: string) => ({
        ...{ kind: 'decision' as const },
        row: { ...server.world.decisions[0]!, id: principal.padEnd(32, '0'), principal },
      });
      server.world.publish(call('held-back'));
      await press(page, 'Go on');
      server.world.publish(call('shown-again'));
      await page.getByRole('link', { name: 'shown-again' }).waitFor();
      expect(await page.getByRole('link', { name: 'held-back' }).count()).toBe(0);
    });

    it('the header opens the palette and the list of keys; a message is closed; a digest is copied', async () => {
      const { page } = await on.visit('/models/traffic-signs', { pace: 0 });
      await settled(page);
      await page.getByRole('button', { name: /Find a client, a case, a decision/ }).click();
      await page.getByRole('combobox').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /ada/ }).click();
      await page.getByRole('button', { name: 'Keys', exact: true }).click();
      await dialog(page).waitFor();
      await page.keyboard.press('Escape');
      await press(page, 'Check again');
      await page.getByText('Asked registries').waitFor();
      await page.getByRole('button', { name: 'Close this message' }).click();
      await page.getByText('Asked registries').waitFor({ state: 'detached' });
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page
        .getByRole('button', { name: /^Copy [0-9a-f]/ })
        .first()
        .click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(/^sha256:[0-9a-f]{64}$/);
    });

    it('a guard is raised from the policy, and all suggestions of a case are shown', async () => {
      const { page, server } = await on.visit('/policy?tab=guards', { pace: 0 });
      await settled(page);
      await page.getByRole('button', { name: 'Raise', exact: true }).first().click();
      expect(await dialog(page).getByRole('combobox', { name: 'Measure', exact: true }).inputValue()).toBe(
        'guard',
      );
      expect(await dialog(page).getByRole('combobox', { name: 'Guard', exact: true }).inputValue()).toBe(
        'energy',
      );
      await page.goto(`${server.url}/console/cases/C-2026-0012`);
      const rows = page.locator('.suggestions li');
      await rows.nth(3).waitFor();
      await page.getByRole('button', { name: /^\d+ more$/ }).click();
      await rows.nth(4).waitFor();
    });

    it('a message that was given up is sent again, by the way of all messages', async () => {
      const side = await alertsSide({ channels: [HOOK] });
      try {
        side.answer = () => ({ status: 503 });
        side.alerts.notify(alarmIn());
        await side.pass(4 * DAY, 600_000);
        const { page, server } = await on.visit('/alerts?state=given-up', {
          pace: 0,
          more: fromRoutes(alertRoutes(side.alerts)),
        });
        await settled(page);
        const tries = side.received.length;
        const again = page.getByRole('button', { name: 'Send again' });
        // The receiver is still down: it is said, and the message is kept.
        await again.click();
        await page.getByText(/The message did not reach hook yet/).waitFor();
        expect(side.received.length).toBe(tries + 1);
        side.answer = () => ({ status: 204 });
        await page.goto(`${server.url}/console/alerts`);
        await settled(page);
        await side.pass(DAY, 60_000);
        const [first, last] = [side.received[0]!, side.received.at(-1)!];
        expect(last.headers['webhook-id']).toBe(first.headers['webhook-id']);
        await page.reload();
        await page.getByText('Sent', { exact: true }).last().waitFor();
        expect(await again.count()).toBe(0);
        expect(server.acts.map(({ path }) => path)).toEqual([
          expect.stringMatching(/^\/api\/alerts\/outbox\/[^/]+\/again$/),
        ]);
      } finally {
        await side.close();
      }
    });
  },
);

/** A replay that has ended, and changed nothing. */
function answered(change: object, more: object): unknown {
  return { id: 'w1', state: 'done', change, changed: [], principals: [], days: [], caveats: [], ...more };
}
