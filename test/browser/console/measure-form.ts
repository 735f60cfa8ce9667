import type { Locator, Page } from 'playwright-core';
import type { Measure } from '../../../src/incident/order.ts';
import { settled } from './open-browser.ts';

/** The dialog that is open. */
export const dialog = (page: Page): Locator => page.getByRole('dialog');

/** A choice in the dialog. */
export const field = (page: Page, name: string): Locator =>
  dialog(page).getByRole('combobox', { name, exact: true });

/** Begins a measure where the page offers one. */
export async function begin(page: Page, measure: Measure, title = 'Take a measure'): Promise<void> {
  await settled(page);
  await page.getByRole('button', { name: title }).first().click();
  await field(page, 'Measure').selectOption(measure);
}

/** Goes on to what the measure will do. */
export async function preview(page: Page): Promise<void> {
  await dialog(page).getByRole('button', { name: 'See what it will do' }).click();
}
