import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { bundledExample } from '../../../src/cli/bundled-example.ts';
import { encodePng } from '../../../src/report/png.ts';
import { barriersOn } from './accessibility.ts';
import { keepPicture, LOOKS, look } from './looks.ts';
import { onRealParts } from './on-real-parts.ts';
import { hasChromium } from './open-browser.ts';

describe.skipIf(!hasChromium)('pages of proof and rules, on real parts (needs /usr/bin/chromium)', () => {
  const on = onRealParts();
  const { open } = on;
  const button = (name: string | RegExp) => on.page.getByRole('button', { name });
  const dialog = () => on.page.getByRole('dialog');

  describe('the lab', () => {
    const tried = async (): Promise<string> => {
      await button('Try it').click();
      await on.page.locator('.lab-verdict').waitFor();
      return (await on.page.locator('.lab-verdict').textContent())!;
    };

    it('shows a decision flip under an attack, and hold under noise of the same size', async () => {
      await open('/lab');
      expect(await tried()).toMatch(/The decision flipped.*Speed limit 30.*became/s);
      await on.page.getByText('What the model looked at').waitFor();
      const slider = on.page.getByLabel('Step of the attack');
      await slider.focus();
      await on.page.keyboard.press('Home');
      await on.page.getByText('before', { exact: true }).first().waitFor();
      expect(await slider.getAttribute('aria-valuetext')).toMatch(/^step 0 of \d+: Speed limit 30$/);
      await button('Chance alone').click();
      // The verdict before it stays until there is another.
      await button('Try it').click();
      const verdict = () => on.page.locator('.lab-verdict').textContent();
      await expect.poll(verdict).toMatch(/It held.*Still Speed limit 30/s);
      await on.page.getByText('Nobody knows anything').waitFor();
      expect(on.complaints).toEqual([]);
    });

    it('takes a picture of a person’s own, and asks what it really shows', async () => {
      await open('/lab');
      const file = '/tmp/own-picture.png';
      const pixels = Uint8Array.from({ length: 40 * 50 * 3 }, (_, i) => (i * 37) % 256);
      await writeFile(file, encodePng({ width: 40, height: 50, channels: 3, pixels } as never));
      const [chooser] = await Promise.all([
        on.page.waitForEvent('filechooser'),
        button(/^Your own$/).click(),
      ]);
      await chooser.setFiles(file);
      await on.page.getByLabel('What your picture really shows').selectOption({ index: 3 });
      expect(await tried()).toMatch(/Wrong from the start|flipped|held|flips/);
      await on.page.getByLabel('A picture of your own').setInputFiles((await bundledExample()).calibration);
      await on.page.getByText('This file is no picture that a browser can read.').waitFor();
    });

    it('tries what a caller sent, read once from the ledger', async () => {
      await open('/ledger/37');
      await button('Show what was sent').click();
      await on.page.getByRole('img', { name: 'Sample 1, as it was sent' }).waitFor();
      const read = on.server.acts.filter(({ path }) => path.endsWith('/input')).length;
      await button('Attack it in the lab').click();
      await on.page.getByLabel('What it really is').selectOption({ index: 0 });
      expect(await tried()).toMatch(/Wrong from the start|flipped|held|flips/);
      const { body } = on.server.acts.findLast(({ path }) => path === '/api/lab')!;
      expect(body).toMatchObject({ decision: expect.stringMatching(/^[0-9a-f]{32}$/), sample: 0 });
      expect(body).not.toHaveProperty('values');
      expect(on.server.acts.filter(({ path }) => path.endsWith('/input')).length).toBe(read);
      expect(on.complaints).toEqual([]);
    });

    it('tries another eps and norm, and shows the attack step by step, stopped and played', async () => {
      await open('/lab');
      const slider = on.page.getByRole('slider', { name: /How far it may go/ });
      const most = await slider.getAttribute('max');
      await slider.fill(most!);
      await on.page.getByLabel(/Reasons by integrated gradients/).check();
      await tried();
      const { body } = on.server.acts.findLast(({ path }) => path === '/api/lab')!;
      // The field rounds to fewer digits than the page has.
      expect(body).toMatchObject({ eps: expect.closeTo(Number(most), 12), integrated: true });
      const scrubber = on.page.getByRole('slider', { name: 'Step of the attack' });
      const step = () => scrubber.getAttribute('aria-valuetext');
      const [again, pause, play] = ['Play again', 'Pause', 'Play'].map((name) =>
        on.page.getByRole('button', { name, exact: true }),
      );
      await again!.waitFor();
      const last = await step();
      await again!.click();
      await pause!.click();
      await play!.waitFor();
      expect(await step()).not.toBe(last);
      await play!.click();
      await again!.waitFor();
      expect(await step()).toBe(last);
      await scrubber.fill('0');
      expect(await step()).toMatch(/^step 0 of/);
      expect(on.complaints).toEqual([]);
    });

    it('has less to choose from where the attacker knows less', async () => {
      await open('/lab');
      await button('Sees the answer').click();
      await on.page.getByText(/creeps back along the boundary/).waitFor();
      await on.page.getByText(/thousands of questions that look much alike/).waitFor();
    });
  });

  describe('the ledger', () => {
    it('finds decisions, opens one, and checks its receipt in the browser', async () => {
      await open('/ledger');
      await on.page.getByRole('searchbox', { name: 'Caller' }).fill('fleet-berlin');
      await expect.poll(() => on.page.locator('tbody tr', { hasNotText: 'fleet-berlin' }).count()).toBe(0);
      await on.page.locator('tbody a').first().click();
      await on.page.getByText('The receipt holds', { exact: true }).waitFor();
      expect(await on.page.getByText('The log’s signature is right.').count()).toBeGreaterThan(1);
      expect(on.complaints).toEqual([]);
    });

    it('fails visibly as soon as a character of the entry is another', async () => {
      await open('/ledger/37');
      await on.page.getByText('The receipt holds', { exact: true }).waitFor();
      await on.page.getByText('Try to cheat').click();
      const bytes = on.page.getByLabel('The entry’s bytes, to be changed');
      const before = await bytes.inputValue();
      await bytes.fill(before.replace('acme', 'acne'));
      await on.page.getByText('The receipt does not hold').waitFor();
      expect(await on.page.getByText(/do not lead to the root that was signed/).count()).toBe(1);
      await button('As it was').click();
      await on.page.getByText('The receipt holds', { exact: true }).waitFor();
    });

    it('fails where the server hands out a receipt of another entry, or a trust that is not one’s own', async () => {
      await on.page.route('**/api/receipts/37', async (route) =>
        route.fulfill({ response: await route.fetch({ url: `${on.server.url}/api/receipts/38` }) }),
      );
      await open('/ledger/37');
      await on.page.getByText('The receipt does not hold').waitFor();
      await on.page.unroute('**/api/receipts/37');
      await open('/ledger/40');
      await on.page.getByText('The receipt holds', { exact: true }).waitFor();
      await on.page.getByText('Whom does this believe?').click();
      const trust = (await (await fetch(`${on.server.url}/api/trust`)).json()) as object;
      const other = JSON.stringify({ ...trust, origin: 'elsewhere.example/log' });
      const file = { name: 'log.trust.json', mimeType: 'application/json', buffer: Buffer.from(other) };
      const [chooser] = await Promise.all([
        on.page.waitForEvent('filechooser'),
        button('Take my own log.trust.json').click(),
      ]);
      await chooser.setFiles(file);
      await on.page.getByText('The receipt does not hold').waitFor();
      await on.page.getByText(/another log than the one that you trust/).waitFor();
      await button('The server’s again').click();
      await on.page.getByText('The receipt holds', { exact: true }).waitFor();
    });

    it('shows hostile names as text', async () => {
      await open('/ledger?principal=%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D1%22%3E');
      await on.page.locator('tbody tr').first().waitFor();
      expect(await on.page.locator('tbody img').count()).toBe(0);
      expect(await on.page.title()).toBe('Ledger · Glacis');
    });
  });

  describe('review', () => {
    it('releases by keyboard, goes on to the next, and says nothing of what it is not allowed to', async () => {
      await open('/review');
      await on.page.getByText('and its second opinion').waitFor();
      const first = await on.page.locator('.queue .now').textContent();
      await on.page.keyboard.press('r');
      await dialog().getByRole('button', { name: 'Release' }).click();
      await on.page.getByText(/Released: the same call is answered/).waitFor();
      await expect.poll(() => on.page.locator('.queue .now').textContent()).not.toBe(first);
      await on.page.getByRole('link', { name: /^ada/ }).click();
      await on.page.getByText('This is a call of your own: somebody else decides.').waitFor();
      expect(await button(/^Release/).count()).toBe(0);
      expect(on.complaints).toEqual([]);
    });

    it('takes a comment without a vote', async () => {
      await open('/review');
      const only = button('Comment only');
      await only.waitFor();
      expect(await only.isDisabled()).toBe(true);
      await on.page.getByLabel(/^Comment/).fill('I have asked them what this is.');
      await only.click();
      await expect
        .poll(() => on.server.acts.at(-1)?.body)
        .toMatchObject({ verdict: 'comment', comment: 'I have asked them what this is.' });
    });

    it('shows who was quicker, keeps what was written, and refuses on the second look', async () => {
      const id = on.real.people.reviewIds[3]!;
      await open(`/review/${id}`);
      await on.page.getByLabel(/Comment/).fill('I have seen this van before');
      await on.real.people.voteAs('linus', id, 'comment', 'Wait for me');
      await button(/^Refuse/).click();
      await dialog().getByRole('button', { name: 'Refuse' }).click();
      await on.page.getByText('Somebody was quicker').waitFor();
      await on.page.getByText('Wait for me').waitFor();
      expect(await on.page.getByLabel(/Comment/).inputValue()).toBe('I have seen this van before');
      await button(/^Refuse/).click();
      await dialog().getByRole('button', { name: 'Refuse' }).click();
      await on.page.getByText('Refused: the same call is not answered.').waitFor();
      // The refusal itself is a 409 on the browser's console, and nothing else is.
      expect(on.complaints.filter((each) => !/409/.test(each))).toEqual([]);
    });

    it('goes through the queue by j and k, and g r leads to the page without releasing', async () => {
      await open('/review?state=all');
      await on.page.getByText('and its second opinion').waitFor();
      await on.page.keyboard.press('j');
      await on.page.keyboard.press('j');
      await expect.poll(() => on.page.url()).toContain('/review/');
      await on.page.keyboard.press('g');
      await on.page.keyboard.press('r');
      await expect.poll(() => new URL(on.page.url()).pathname).toBe('/console/review');
      expect(await dialog().count()).toBe(0);
    });
  });

  describe('assessments', () => {
    it('lists them with what could not be read, opens one, and its report in which nothing runs', async () => {
      await open('/assessments');
      await on.page.getByText('From assessment to assessment').waitFor();
      await on.page.getByText('1 file could not be read').waitFor();
      await on.page.locator('tbody a').first().click();
      await on.page.getByText('How much it withstands').waitFor();
      const [report] = await Promise.all([
        on.page.waitForEvent('popup'),
        on.page.getByRole('link', { name: 'The whole report' }).click(),
      ]);
      await report.getByText('robustness report').or(report.locator('h1')).first().waitFor();
      expect(await report.evaluate('window.origin')).toBe('null');
      await report.close();
      expect(on.complaints).toEqual([]);
    });

    it('says of two whether there is a difference', async () => {
      await open('/assessments/compare');
      await on.page.getByRole('combobox', { name: /^First/ }).selectOption({ index: 5 });
      await on.page.getByText('McNemar’s exact test').waitFor();
      await on.page.getByText('Better').first().waitFor();
    });
  });

  describe('policy', () => {
    it('says what is required and met of each model, and why not', async () => {
      await open('/policy');
      await on.page.getByText('1 model needs a look').waitFor();
      await on.page
        .getByText(/pickle calls os.system/)
        .first()
        .waitFor();
      await on.page.getByRole('tab', { name: 'Rights' }).click();
      await on.page.getByText(/Newer rules are not in force/).waitFor();
      await on.page.getByRole('tab', { name: 'File' }).click();
      await on.page.getByText('schema: glacis.policy/1').waitFor();
      expect(on.complaints).toEqual([]);
    });

    it('tries another threshold on past traffic', async () => {
      await open('/policy?tab=guards');
      await button(/What if entropy/).click();
      await dialog()
        .getByLabel(/Threshold/)
        .fill('-20');
      await dialog().getByLabel('Above it').selectOption('refuse');
      await dialog().getByRole('button', { name: 'Replay' }).click();
      await dialog()
        .getByText(/1 of these is in no case/)
        .waitFor();
      const { body } = on.server.acts.findLast(({ path }) => path === '/api/what-if')!;
      expect(body).toMatchObject({
        model: 'traffic-signs',
        change: { kind: 'guard', guard: 'entropy', action: 'refuse' },
      });
      expect((body as { change: { threshold: number } }).change.threshold).toBeLessThan(0.213);
    });

    it('tries another budget, and reads the configuration again after asking', async () => {
      await open('/policy?tab=limits');
      await button(/What if each principal had another budget than 50,000/).click();
      await dialog()
        .getByLabel(/Queries/)
        .fill('-40');
      await dialog().getByRole('button', { name: 'Replay' }).click();
      await dialog()
        .getByText(/would have ended otherwise/)
        .waitFor();
      await dialog().getByRole('button', { name: 'Close' }).click();
      await button('Reload').click();
      await dialog().getByRole('button', { name: 'Reload' }).click();
      await on.page.getByText('The configuration was read again').waitFor();
    });
  });

  describe('people and keys', () => {
    it('makes a key whose text is shown this once, rotates it and revokes it', async () => {
      await open('/people');
      await button('New key').click();
      await dialog()
        .getByLabel(/^Caller/)
        .fill('new-cam');
      await dialog()
        .getByLabel(/^Tenant/)
        .fill('acme');
      await dialog().getByLabel('At most it is told').selectOption('label');
      await dialog().getByLabel('Auditor').check();
      await dialog().getByRole('button', { name: 'Make the key' }).click();
      const secret = (await dialog().locator('.secret').textContent())!.trim();
      expect(secret).toMatch(/^glacis_/);
      await on.page.keyboard.press('Escape');
      await dialog()
        .getByLabel(/I have kept it/)
        .check();
      await on.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await dialog().getByRole('button', { name: 'Copy' }).click();
      expect(await on.page.evaluate('navigator.clipboard.readText()')).toBe(secret);
      await dialog().getByRole('button', { name: 'Close' }).last().click();
      const row = on.page.locator('tbody tr', { hasText: 'new-cam' });
      await row.first().waitFor();
      expect(await on.page.content()).not.toContain(secret);
      await row.getByRole('button', { name: 'Rotate' }).click();
      await dialog().getByRole('button', { name: 'Rotate' }).click();
      expect((await dialog().locator('.secret').textContent())!.trim()).not.toBe(secret);
      await dialog()
        .getByLabel(/I have kept it/)
        .check();
      await dialog().getByRole('button', { name: 'Close' }).last().click();
      await row.filter({ hasText: 'Ending' }).getByRole('button', { name: 'Revoke' }).click();
      await dialog().getByLabel(/Why/).fill('it was a test');
      await dialog().getByRole('button', { name: 'Revoke' }).click();
      await row.filter({ hasText: 'Revoked' }).waitFor();
      expect(on.complaints).toEqual([]);
    });

    it('shuts somebody out and lets them in again', async () => {
      await open('/people?tab=people&who=gate-cam-07');
      await button('Shut out').click();
      await dialog().getByLabel(/Why/).fill('a test');
      await dialog().getByRole('button', { name: 'Shut out' }).click();
      await button('Let in').click();
      await dialog().getByRole('button', { name: 'Let in' }).click();
      await on.page.getByText('May come in', { exact: true }).waitFor();
    });

    it('shows who is signed in, and signs somebody out', async () => {
      await open('/people?tab=sessions');
      await button('Sign out').click();
      await dialog().getByRole('button', { name: 'Sign out' }).click();
      await on.page.getByText('Signed out.').waitFor();
      await expect.poll(() => on.page.locator('tbody tr').count()).toBe(1);
    });

    it('has more keys on further pages, and says who may do what', async () => {
      await open('/people');
      await on.page.locator('tbody tr').first().waitFor();
      const before = await on.page.locator('tbody tr').count();
      await button('Show more').click();
      await expect.poll(() => on.page.locator('tbody tr').count()).toBeGreaterThan(before);
      await on.page.getByRole('tab', { name: 'Roles' }).click();
      await on.page.getByText('lab.run').waitFor();
    });
  });

  it.each([
    ['/lab', 'Begin with'],
    ['/ledger', 'What was decided, and proof of it'],
    ['/ledger/37', 'The receipt holds'],
    ['/review', 'and its second opinion'],
    ['/assessments', 'From assessment to assessment'],
    ['/assessments/compare', 'What a test says'],
    ['/policy', 'What is required, and met'],
    ['/policy?tab=guards', 'Entropy'],
    ['/policy?tab=limits', 'How fast somebody may ask.'],
    ['/policy?tab=rights', 'Callers'],
    ['/policy?tab=text', 'glacis.yaml'],
    ['/people', 'New key'],
    ['/people?tab=people', 'May come in'],
    ['/people?tab=sessions', 'Last seen'],
    ['/people?tab=roles', 'Who may do what'],
  ])('%s has no barriers, light and dark, and fits a phone', async (path, text) => {
    await open(path);
    await on.page.getByText(text).first().waitFor();
    for (const each of LOOKS) {
      await look(on.page, each);
      const wide = () => on.page.evaluate('document.documentElement.scrollWidth');
      await expect.poll(wide).toBeLessThanOrEqual(each[0]);
      await keepPicture(on.page, path, each);
      if (each === LOOKS[0] || each === LOOKS[3]) expect(await barriersOn(on.page)).toEqual([]);
    }
  });
});
