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

/** Presses a button in the dialog. */
export const press = (page: Page, name: string): Promise<void> =>
  dialog(page).getByRole('button', { name, exact: true }).click();

/** Takes a measure after the look at what it will do, where no second person is needed. */
export async function take(page: Page, verb: string): Promise<void> {
  await press(page, verb);
  await page.getByText('Done: it is in force.').waitFor();
}

/** A measure that the page lists as in force, by how it reads. */
export const inForce = (page: Page, reads: string): Locator =>
  page.locator('.measures li', { hasText: reads });

/** Lifts a measure in the list of those in force. */
export async function lift(page: Page, reads: string): Promise<void> {
  await inForce(page, reads).getByRole('button', { name: 'Lift' }).click();
  await press(page, 'Lift it');
}
