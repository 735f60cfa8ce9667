import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureServer, openFixture } from '../../../console/dev/fixture-server.ts';
import { barriersOn } from './accessibility.ts';
import { complaintsOf, hasChromium, openBrowser } from './open-browser.ts';

/** GLACIS_SCREENSHOTS names a folder that keeps the pictures. */
const shots = process.env.GLACIS_SCREENSHOTS ?? mkdtempSync(join(tmpdir(), 'glacis-console-'));
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
  let server: FixtureServer;
  let empty: FixtureServer;
  beforeAll(async () => {
    mkdirSync(shots, { recursive: true });
    [browser, server, empty] = await Promise.all([
      openBrowser(),
      openFixture(),
      openFixture({ empty: true }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([server?.close(), empty?.close()]);
  });

  const look = async (
    at: FixtureServer,
    path: string,
    width: number,
    colorScheme: 'light' | 'dark',
    name = '',
  ): Promise<void> => {
    const page = await browser.newPage({ viewport: { width, height: width < 500 ? 844 : 860 }, colorScheme });
    const complaints = complaintsOf(page, at.url);
    await page.goto(`${at.url}/console${path}`);
    await page.locator('main h1').first().waitFor();
    await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => {});
    await page
      .locator('.skeleton')
      .waitFor({ state: 'detached', timeout: 5000 })
      .catch(() => {});
    await page.screenshot({
      path: join(shots, `${name}${path.replace(/[^a-z0-9]+/gi, '_')}-${width}-${colorScheme}.png`),
      fullPage: true,
    });
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow, 'wider than the screen').toBeLessThanOrEqual(0);
    expect(await page.locator('main h1').count(), 'headings of the first level').toBeLessThanOrEqual(1);
    expect(
      await page.evaluate(
        'document.querySelectorAll("[style*=url], script:not([src]), iframe, object, embed").length',
      ),
    ).toBe(0);
    expect(await page.evaluate('document.title')).toMatch(/Glacis$/);
    expect(await barriersOn(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  };

  for (const path of PATHS) {
    for (const [width, colorScheme] of [
      [1280, 'light'],
      [1280, 'dark'],
      [390, 'light'],
      [390, 'dark'],
    ] as const) {
      it(`${path} fits ${width} px in ${colorScheme} colours, keeps nobody out and complains of nothing`, () =>
        look(server, path, width, colorScheme));
    }
  }

  for (const id of PAGES) {
    it(`/${id} of a gateway that has just begun says what to do first`, () =>
      look(empty, `/${id}`, 1280, 'light', 'empty'));
  }
});
