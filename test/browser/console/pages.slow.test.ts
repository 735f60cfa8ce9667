import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureServer, openFixture } from '../../../console/dev/fixture-server.ts';
import { barriersOn } from './accessibility.ts';
import { keepPicture, LOOKS, look } from './looks.ts';
import { complaintsOf, hasChromium, openBrowser, settled } from './open-browser.ts';

/** Pages whose data the fixture server makes up; the others meet real parts in tests of their own. */
const PAGES = ['', 'cases', 'traffic', 'drift', 'models', 'alerts'];
/** These, and the pages of one thing. */
const PATHS = [
  ...PAGES.map((id) => `/${id}`),
  '/cases/C-2026-0012',
  '/cases/C-2026-0011',
  '/cases/C-2026-0010?tab=evidence',
  '/cases/C-2026-0010?tab=impact',
  '/cases/C-2026-0008',
  '/traffic/mallory-labs',
  '/models/traffic-signs',
  '/drift?model=credit',
  '/nothing/of/the/kind',
];
describe.skipIf(!hasChromium)('every page of the console (needs /usr/bin/chromium)', () => {
  let browser: Browser;
  let page: Page;
  let server: FixtureServer;
  let empty: FixtureServer;
  let complaints: string[];
  beforeAll(async () => {
    [browser, server, empty] = await Promise.all([
      openBrowser(),
      openFixture({ pace: 0 }),
      openFixture({ empty: true }),
    ]);
    // Nothing moves: what is looked at is how the page is, not on its way there.
    page = await browser.newPage({ reducedMotion: 'reduce' });
    complaints = complaintsOf(page, [server.url, empty.url]);
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([server?.close(), empty?.close()]);
  });

  const open = async (at: FixtureServer, path: string): Promise<void> => {
    complaints.length = 0;
    await look(page, LOOKS[0]);
    await page.goto(`${at.url}/console${path}`);
    await settled(page);
  };
  const wider = () =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  it.each(PATHS)(
    '%s fits a desk and a phone, keeps nobody out in light and dark, and complains of nothing',
    async (path) => {
      await open(server, path);
      expect(await page.locator('main h1').count(), 'headings of the first level').toBe(1);
      expect(
        await page.evaluate(
          'document.querySelectorAll("[style*=url], script:not([src]), iframe, object, embed").length',
        ),
      ).toBe(0);
      expect(await page.evaluate('document.title')).toMatch(/Glacis$/);
      for (const each of LOOKS) {
        await look(page, each);
        await expect.poll(wider, { message: `wider than ${each[0]} px` }).toBeLessThanOrEqual(0);
        await keepPicture(page, path, each);
        // All rules where the page is another one; where only its colours are, those of colours.
        if (each === LOOKS[0] || each === LOOKS[3]) expect(await barriersOn(page)).toEqual([]);
        else if (each === LOOKS[1]) expect(await barriersOn(page, ['color-contrast'])).toEqual([]);
      }
      expect(complaints).toEqual([]);
    },
  );

  it.each(PAGES)('/%s of a gateway that has just begun says what to do first', async (id) => {
    await open(empty, `/${id}`);
    expect(await barriersOn(page)).toEqual([]);
    await keepPicture(page, `empty_${id}`, LOOKS[0]);
    await look(page, LOOKS[3]);
    await expect.poll(wider).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
  });
});
