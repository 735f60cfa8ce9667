import type { Browser } from 'playwright-core';
import { keepPicture, LOOKS, look } from '../../../test/browser/console/looks.ts';
import { complaintsOf, openBrowser, settled } from '../../../test/browser/console/open-browser.ts';

/** Every page of the navigation, and pages of one thing: what they are and their paths. */
const PAGES = {
  Overview: '/',
  Cases: '/cases',
  'a case': '/cases/C-2026-0002',
  Review: '/review',
  Traffic: '/traffic',
  'a client': '/traffic/client-7',
  Drift: '/drift',
  Models: '/models',
  'a model': '/models/signs',
  Ledger: '/ledger',
  Assessments: '/assessments',
  Lab: '/lab',
  Policy: '/policy',
  'People & keys': '/people',
  Alerts: '/alerts',
} as const;

/** How a page came up: milliseconds since it was asked for, as the browser has them. */
export interface Painted {
  readonly id: string;
  readonly path: string;
  /** `first-contentful-paint`: of a browser that has nothing of the console yet, then of one that has its files. */
  readonly paint: readonly number[];
  /** Until nothing on it is loading any more, in the same order. */
  readonly shown: readonly number[];
  /** Errors on its console, and questions to anywhere else. */
  readonly complaints: readonly string[];
}

/**
 * Opens every page in Chromium: once in a browser that has never seen the console but its sign-in, then `again` times. `link` makes a one-time link, each browser's own.
 * GLACIS_SCREENSHOTS names a folder for pictures.
 */
export async function* paintPages(
  url: string,
  link: () => Promise<string>,
  again: number,
): AsyncGenerator<Painted> {
  const browser = await openBrowser();
  try {
    for (const [id, path] of Object.entries(PAGES))
      yield await paint(browser, { id, path, url }, link, again);
  } finally {
    await browser.close();
  }
}

async function paint(
  browser: Browser,
  { id, path, url }: { readonly id: string; readonly path: string; readonly url: string },
  link: () => Promise<string>,
  again: number,
): Promise<Painted> {
  const context = await browser.newContext({ reducedMotion: 'reduce' });
  const page = await context.newPage();
  await look(page, LOOKS[0]);
  const complaints = complaintsOf(page, url);
  await page.goto(await link());
  await page.getByRole('navigation', { name: 'Pages' }).first().waitFor();
  // What the sign-in has brought is forgotten: the first visit brings everything.
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.clearBrowserCache');
  const [paints, shown]: [number[], number[]] = [[], []];
  for (let i = 0; i <= again; i++) {
    await page.goto(`${url}/console${path}`, { waitUntil: 'commit' });
    await settled(page);
    shown.push(Number(await page.evaluate('performance.now()')));
    paints.push(Number(await page.evaluate(FIRST_PAINT)));
  }
  await keepPicture(page, `bench ${id}`, LOOKS[0]);
  await context.close();
  return { id, path, paint: paints, shown, complaints };
}

const FIRST_PAINT = `new Promise((resolve) =>
  new PerformanceObserver((list, observer) => {
    const [entry] = list.getEntriesByName('first-contentful-paint');
    if (entry) { observer.disconnect(); resolve(entry.startTime); }
  }).observe({ type: 'paint', buffered: true }))`;
