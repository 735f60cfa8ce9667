import type { Page } from 'playwright-core';
import type { DecisionRow, Page as Rows } from '../../../src/gateway/console/api.ts';
import { until } from '../../until.ts';
import type { OnRealGateway } from './on-real-gateway.ts';

/** Waits until the newest of so many calls of somebody is in the log's signed state, which is what a search reads. */
export async function signedUpTo(on: OnRealGateway, principal: string, calls: number): Promise<void> {
  const auditor = (await on.keyed('auditor', { roles: ['admin'] })).text;
  await until(async () => {
    const { rows } = await on.manage<Rows<DecisionRow>>(`/api/decisions?principal=${principal}`, auditor);
    if (rows.length < calls) return false;
    const { ok } = await fetch(`${on.gateway.addresses.management}/api/receipts/${rows[0]!.entry}`, {
      headers: { authorization: `Bearer ${auditor}` },
    });
    return ok;
  });
}

/** Begins the search that the form asks for, and waits until it has ended. */
export async function find(page: Page): Promise<void> {
  const begun = page.waitForResponse(/\/api\/cases\/[^/]+\/impact$/);
  await page.getByRole('button', { name: 'Find out' }).click();
  const { id } = (await (await begun).json()) as { readonly id: string };
  await page.locator(`a[href="/api/impacts/${id}/bundle"]`).waitFor();
}

/** The figures of a search, by their words. */
export async function figures(page: Page): Promise<Readonly<Record<string, string>>> {
  await page.getByRole('link', { name: /The evidence, signed/ }).waitFor();
  const all = await page.locator('.impact .stat').all();
  const pairs = all.map(async (each) => [
    (await each.locator('.what').textContent())!,
    (await each.locator('.figure').textContent())!,
  ]);
  return Object.fromEntries(await Promise.all(pairs));
}

/** Rows of the clients that a search found, in their order. */
export function clients(page: Page): Promise<string[]> {
  return page.getByRole('table', { name: 'Clients concerned' }).locator('tbody tr').allTextContents();
}
