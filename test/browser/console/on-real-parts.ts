import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type FixtureOptions, type FixtureServer, openFixture } from '../../../console/dev/fixture-server.ts';
import { openRealParts, type RealParts } from '../../../console/dev/real/open-real.ts';
import { complaintsOf, openBrowser, settled } from './open-browser.ts';

/** What a test meets: a page of its own, in one browser, before one fixture server with real parts behind it. */
export interface OnRealParts {
  page: Page;
  /** What the page complained of so far. */
  complaints: readonly string[];
  server: FixtureServer;
  real: RealParts;
  /** Opens a path of the console, and waits until it shows what it has. */
  open(path: string): Promise<void>;
}

/** Opens all of it for the tests of a `describe`, and closes it after them. */
export function onRealParts(options: Pick<FixtureOptions, 'behind'> = {}): OnRealParts {
  let browser: Browser | undefined;
  // Each is there before the first test.
  const on = {
    async open(path: string) {
      await on.page.goto(`${on.server.url}/console${path}`);
      await settled(on.page);
    },
  } as OnRealParts;
  beforeAll(async () => {
    [browser, on.real] = await Promise.all([openBrowser(), openRealParts()]);
    on.server = await openFixture({ ...options, more: on.real.fixtures, pace: 0 });
  });
  afterAll(async () => {
    await browser?.close();
    await on.server?.close();
    await on.real?.close();
  });
  beforeEach(async () => {
    on.page = await browser!.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
    on.complaints = complaintsOf(on.page, on.server.url);
  });
  afterEach(() => on.page.close());
  return on;
}
