import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type FixtureOptions, type FixtureServer, openFixture } from '../../../console/dev/fixture-server.ts';
import { complaintsOf, openBrowser } from './open-browser.ts';

/** A page that was opened, before a server of its own. */
export interface Visit {
  readonly page: Page;
  readonly server: FixtureServer;
  readonly complaints: readonly string[];
}

/** Gives the tests of a `describe` one browser, and each a server, and with it an origin, of its own. */
export function onFixture(): {
  visit(path: string, options?: FixtureOptions, width?: number): Promise<Visit>;
} {
  let browser: Browser;
  let context: BrowserContext;
  const open: FixtureServer[] = [];
  beforeAll(async () => {
    browser = await openBrowser();
    context = await browser.newContext({ reducedMotion: 'reduce' });
  });
  beforeEach(async () => {
    await Promise.all(context.pages().map((page) => page.close()));
    await Promise.all(open.splice(0).map((server) => server.close()));
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all(open.map((server) => server.close()));
  });
  return {
    async visit(path, options = {}, width = 1280) {
      const server = await openFixture(options);
      open.push(server);
      const page = await context.newPage();
      await page.setViewportSize({ width, height: 900 });
      const complaints = complaintsOf(page, server.url);
      await page.goto(`${server.url}/console${path}`);
      return { page, server, complaints };
    },
  };
}
