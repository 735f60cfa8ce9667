import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** GLACIS_SCREENSHOTS names a folder that keeps pictures of every page in four looks. */
const shots = process.env.GLACIS_SCREENSHOTS;

/** A desk and a phone, light and dark. */
export const LOOKS = [
  [1280, 'light'],
  [1280, 'dark'],
  [390, 'light'],
  [390, 'dark'],
] as const;

/** One of {@link LOOKS}. */
export type Look = (typeof LOOKS)[number];

/** Lets a page be looked at that way. */
export async function look(page: Page, [width, colorScheme]: Look): Promise<void> {
  await page.setViewportSize({ width, height: width < 500 ? 844 : 860 });
  await page.emulateMedia({ colorScheme });
}

/** Keeps a picture of the whole page, where pictures are kept. */
export async function keepPicture(page: Page, name: string, [width, colours]: Look): Promise<void> {
  if (shots === undefined) return;
  mkdirSync(shots, { recursive: true });
  const file = `${name.replace(/[^a-z0-9]+/gi, '_')}-${width}-${colours}.png`;
  await page.screenshot({ path: join(shots, file), fullPage: true });
}
