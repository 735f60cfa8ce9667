import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { MEASURES } from '../../../src/incident/order.ts';
import { barriersOn } from './accessibility.ts';
import { keepPicture, LOOKS, look } from './looks.ts';
import { begin, dialog, field, preview } from './measure-form.ts';
import { onFixture } from './on-fixture.ts';
import { hasChromium, settled } from './open-browser.ts';

describe.skipIf(!hasChromium)('measures by hand in the console (needs /usr/bin/chromium)', () => {
  const on = onFixture();

  /** What a person fills in for each measure, and what is sent then. */
  const FILLED: Readonly<
    Record<
      (typeof MEASURES)[number],
      { readonly fill: (page: Page) => Promise<unknown>; readonly wish: object }
    >
  > = {
    throttle: {
      async fill(page) {
        await field(page, 'For').selectOption('address');
        await dialog(page).getByLabel(/^Who/).fill('192.0.2.7');
        await dialog(page)
          .getByLabel(/^Requests a minute/)
          .fill('6');
      },
      wish: { target: { address: '192.0.2.7' }, perMinute: 6 },
    },
    degrade: {
      async fill(page) {
        await field(page, 'For').selectOption('everybody');
        await field(page, 'Model').selectOption('digits');
        await dialog(page).getByRole('button', { name: 'Scores' }).click();
      },
      wish: { target: { model: 'digits' }, detail: 'scores' },
    },
    quarantine: {
      async fill(page) {
        await field(page, 'For').selectOption('tenant');
        await dialog(page).getByLabel(/^Who/).fill('trial');
      },
      wish: { target: { tenant: 'trial' } },
    },
    guard: {
      async fill(page) {
        await field(page, 'For').selectOption('everybody');
        await field(page, 'Model').selectOption('traffic-signs');
        await field(page, 'Guard').selectOption('energy');
        await field(page, 'Its threshold is').selectOption('4');
        await field(page, 'An alarm of it').selectOption('refuse');
      },
      wish: {
        target: { model: 'traffic-signs' },
        guard: { name: 'energy', strictness: 0.25, action: 'refuse' },
      },
    },
    verify: {
      async fill(page) {
        await field(page, 'For').selectOption('everybody');
        await field(page, 'Model').selectOption('traffic-signs');
      },
      wish: { target: { model: 'traffic-signs' } },
    },
    pause: {
      fill: (page) => field(page, 'Model').selectOption('credit'),
      wish: { target: { model: 'credit' } },
    },
    rollback: {
      fill: (page) => field(page, 'Model').selectOption('traffic-signs'),
      wish: { target: { model: 'traffic-signs' } },
    },
    freeze: { fill: async () => {}, wish: { target: {} } },
  };

  it.each(MEASURES)('%s is put together, looked at, ordered and lifted again', async (measure) => {
    const { page, server, complaints } = await on.visit('/cases', { pace: 0 });
    await begin(page, measure);
    const see = dialog(page).getByRole('button', { name: 'See what it will do' });
    expect(await see.isDisabled()).toBe(true);
    await FILLED[measure].fill(page);
    await dialog(page).getByLabel(/^Why/).fill('they copy the model');
    await see.click();
    await dialog(page).getByRole('heading', { name: 'What it will do' }).waitFor();
    const takesTwo = measure === 'quarantine' || measure === 'rollback';
    await dialog(page)
      .getByText(takesTwo ? 'must agree before it happens' : 'not needed')
      .waitFor();
    expect(await barriersOn(page)).toEqual([]);
    // Back, and nothing is lost or done.
    await dialog(page).getByRole('button', { name: 'Back' }).click();
    expect(await dialog(page).getByLabel(/^Why/).inputValue()).toBe('they copy the model');
    expect(server.acts.filter(({ path }) => path !== '/api/orders/preview')).toEqual([]);
    await preview(page);
    await dialog(page).locator('.actions button').last().click();
    await dialog(page).waitFor({ state: 'detached' });
    expect(server.acts.at(-1)).toMatchObject({
      path: '/api/orders',
      body: { wish: { measure, because: 'they copy the model', ...FILLED[measure].wish } },
    });
    expect(complaints).toEqual([]);
    if (takesTwo) {
      await page.getByText('Asked: it waits for a second person, in the case C-2026-0012.').waitFor();
      expect(server.world.orders.some((order) => order.measure === measure)).toBe(false);
      return;
    }
    await page.getByText('Done: it is in force.').waitFor();
    const row = page.locator('.measures li', { hasText: 'by ada' });
    await row.getByRole('button', { name: 'Lift' }).click();
    await dialog(page).getByRole('button', { name: 'Lift it' }).click();
    await page.getByText('Lifted.', { exact: true }).waitFor();
    await row.waitFor({ state: 'detached' });
    expect(
      server.world.orders.find((order) => order.measure === measure && order.by === 'ada'),
    ).toMatchObject({
      endedBy: 'ada',
    });
  });

  it('says whom it would have met, and what stands against it, before anything is done', async () => {
    const { page, server } = await on.visit('/models/digits', { pace: 0 });
    await begin(page, 'verify');
    await dialog(page).getByLabel(/^Why/).fill('odd answers');
    await preview(page);
    await dialog(page).getByText('expected a second model of digits, got none').waitFor();
    expect(await dialog(page).getByRole('button', { name: 'Switch' }).isDisabled()).toBe(true);
    await dialog(page)
      .getByText(/calls? of the last 24 hours/)
      .waitFor();
    await dialog(page).getByRole('button', { name: 'Back' }).click();
    await field(page, 'Measure').selectOption('quarantine');
    await field(page, 'For').selectOption('credential');
    await dialog(page).getByLabel(/^Who/).fill('0123abcd');
    await preview(page);
    await dialog(page).getByText('lists of calls hold neither keys nor addresses').waitFor();
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
    expect(server.acts.every(({ path }) => path === '/api/orders/preview')).toBe(true);
  });

  it('is taken with the keyboard alone, in the case that it is of', async () => {
    const { page, server } = await on.visit('/cases/C-2026-0012', { pace: 0 });
    await settled(page);
    const opener = page.getByRole('button', { name: 'Take a measure' });
    await opener.focus();
    await page.keyboard.press('Enter');
    await dialog(page).waitFor();
    // The client, the model and the reason are known here.
    expect(await dialog(page).getByLabel(/^Who/).inputValue()).toBe('probe-a7');
    expect(await field(page, 'It belongs to').count()).toBe(0);
    await dialog(page)
      .getByLabel(/^Requests a minute/)
      .focus();
    await page.keyboard.press('Enter');
    await dialog(page).getByText('C-2026-0012').waitFor();
    const focused = () => page.evaluate('document.activeElement.textContent');
    for (let i = 0; i < 12 && (await focused()) !== 'Throttle'; i++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('Done: it is in force.').waitFor();
    expect(server.acts.at(-1)).toMatchObject({
      path: '/api/cases/C-2026-0012/act',
      body: {
        wish: { measure: 'throttle', case: 'C-2026-0012', target: { principal: 'probe-a7' }, perMinute: 30 },
      },
    });
    expect(await focused()).toBe('Take a measure');
  });

  it.each([
    ['/', 'Take a measure', {}],
    ['/traffic/mallory-labs', 'Another measure', { who: 'principal', name: 'mallory-labs' }],
    ['/models/traffic-signs', 'Take a measure', { measure: 'pause', model: 'traffic-signs' }],
  ] as const)('stands on %s with what is known there', async (path, title, known) => {
    const { page } = await on.visit(path, { pace: 0 });
    await settled(page);
    await page.getByRole('button', { name: title }).click();
    const said = {
      measure: await field(page, 'Measure').inputValue(),
      ...('who' in known && {
        who: await field(page, 'For').inputValue(),
        name: await dialog(page).getByLabel(/^Who/).inputValue(),
      }),
      ...('model' in known && { model: await field(page, 'Model').inputValue() }),
    };
    expect(said).toMatchObject(known);
  });

  it('fits a desk and a phone, in light and dark, and keeps nobody out', async () => {
    const { page, complaints } = await on.visit('/cases', { pace: 0 });
    await begin(page, 'guard');
    const wider = () =>
      page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    const everywhere = async (name: string): Promise<void> => {
      for (const each of LOOKS) {
        await look(page, each);
        await expect.poll(wider, { message: `wider than ${each[0]} px` }).toBeLessThanOrEqual(0);
        await keepPicture(page, name, each);
        expect(await barriersOn(page)).toEqual([]);
      }
    };
    await FILLED.guard.fill(page);
    await dialog(page).getByLabel(/^Why/).fill('they copy the model');
    await everywhere('measure-form');
    await preview(page);
    await dialog(page).getByRole('heading', { name: 'What it will do' }).waitFor();
    await everywhere('measure-preview');
    expect(complaints).toEqual([]);
  });

  it('is offered to nobody who may not act', async () => {
    const { page } = await on.visit('/cases', { pace: 0, without: ['incident.act'] });
    await settled(page);
    expect(await page.getByRole('button', { name: /Take a measure|Lift/ }).count()).toBe(0);
  });
});
