import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { buildConsole } from '../../../scripts/build-console.mjs';

/** Debian's package `chromium`. */
export const CHROMIUM = '/usr/bin/chromium';

/** Whether browser tests can run here. */
export const hasChromium = existsSync(CHROMIUM);

/** Milliseconds that anything on a page is waited for: half a minute is the default, which a machine that does much else may stand still for. */
const PATIENCE = 100_000;

/** A browser, with the console built where its sources are newer. */
export async function openBrowser(): Promise<Browser> {
  await buildConsole({ ifNewer: true });
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--no-first-run',
    ],
  });
  browser.on('context', (context) => context.setDefaultTimeout(PATIENCE));
  return browser;
}

/** What a page complains of: errors of scripts, messages on the console, and questions to anywhere but its own servers. */
export function complaintsOf(page: Page, servers: string | readonly string[]): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(`${error.message}\n${error.stack ?? ''}`));
  page.on('request', (request) => {
    if (![servers, 'blob:'].flat().some((each) => request.url().startsWith(each)))
      complaints.push(`asked ${request.url()}`);
  });
  return complaints;
}

/** Resolves when a page shows what it has: its heading, no part that is still loading, no chart without its drawing. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main h1').first().waitFor();
  await page.locator('.skeleton, [aria-busy=true], .plot-box:empty').first().waitFor({ state: 'detached' });
}
