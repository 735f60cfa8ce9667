import type { Browser, Page } from 'playwright-core';
import { complaintsOf, settled } from './open-browser.ts';

/** Somebody who is signed in, in a browser context of their own. */
export interface Person {
  readonly page: Page;
  /** What the page complained of so far. */
  readonly complaints: readonly string[];
  /** Opens a path of the console, and waits until it shows what it has. */
  open(path: string): Promise<void>;
}

/** Signs somebody in with a one-time link of a gateway whose management side is at `url`. */
export async function signInWith(browser: Browser, link: string, url: string): Promise<Person> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const complaints = complaintsOf(page, url);
  await page.goto(link);
  await page.getByRole('navigation', { name: 'Pages' }).first().waitFor();
  return {
    ...{ page, complaints },
    async open(path) {
      await page.goto(`${url}/console${path}`);
      await settled(page);
    },
  };
}
