import { describe, expect, it } from 'vitest';
import { onRealParts } from './on-real-parts.ts';
import { hasChromium } from './open-browser.ts';

/** Behind every name and sentence that somebody else than the gateway may have chosen: markup, a turned reading direction, a control of terminals. */
const BEHIND = '<img/src=x/onerror="document.title=1">\u202Egnp.exe\u001b[31m';
/** Characters that turn the reading direction, and controls other than the line feeds and tabs between cells. */
const TURNED = /[\p{Bidi_Control}]|(?![\n\t])\p{Cc}/u;
const named = (name: string) => encodeURIComponent(name + BEHIND);

describe.skipIf(!hasChromium)('abuse 31: hostile strings in every field (needs /usr/bin/chromium)', () => {
  const on = onRealParts({ behind: BEHIND });

  it.each([
    '/',
    '/cases',
    '/cases/C-2026-0012',
    '/cases/C-2026-0010?tab=evidence',
    '/cases/C-2026-0010?tab=impact',
    '/cases/C-2026-0008',
    '/traffic',
    `/traffic/${named('mallory-labs')}`,
    '/drift',
    `/drift?model=${named('credit')}`,
    '/models',
    `/models/${named('traffic-signs')}`,
    '/alerts',
    '/review',
    '/ledger',
    '/ledger/37',
    '/assessments',
    '/assessments/compare',
    '/lab',
    '/policy',
    '/policy?tab=guards',
    '/policy?tab=limits',
    '/policy?tab=rights',
    '/people',
    '/people?tab=people',
    '/people?tab=sessions',
  ])('%s shows them as text, fits a phone with them, and complains of nothing', async (path) => {
    const { page } = on;
    await on.open(path);
    const seen = (await page.evaluate('document.body.innerText')) as string;
    // They came so far, and are there to be read.
    expect(seen).toContain('<img');
    expect(seen.split('\n').filter((line) => TURNED.test(line))).toEqual([]);
    expect(await page.locator('img[src=x]').count()).toBe(0);
    const inAttributes = `[...document.querySelectorAll('[title], [aria-label], [alt], [placeholder]')]
      .flatMap((each) => ['title', 'aria-label', 'alt', 'placeholder'].map((name) => each.getAttribute(name) ?? ''))
    `;
    const readOut = (await page.evaluate(inAttributes)) as readonly string[];
    expect(
      readOut.filter((text) => TURNED.test(text)),
      'what is read out',
    ).toEqual([]);
    expect(await page.title()).not.toMatch(TURNED);
    await page.setViewportSize({ width: 390, height: 844 });
    const wider = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    await expect.poll(() => page.evaluate(wider)).toBeLessThanOrEqual(0);
    expect(on.complaints).toEqual([]);
  });
});
