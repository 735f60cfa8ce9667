import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BudgetsBench, budgetsBench, budgetsFixture } from './budgets.fixture.ts';
import { principalFixture } from './rates.fixture.ts';
import { localRates } from './rates-in-memory.ts';
import { ratesSchema } from './rates-schema.ts';

describe('rates that are changed', () => {
  const who = { principal: undefined, address: '192.0.2.7' };
  it('hold at once, and those that stay remember what was taken', () => {
    const limit = (requests: number) => ({ per: 'address', requests, every: 'minute' }) as const;
    const config = ratesSchema.parse({ limits: [limit(2), { per: 'all', requests: 3, every: 'minute' }] });
    const rates = localRates(config, () => 0);
    for (let i = 0; i < 2; i++) expect(rates.take(who, 1)).toBeUndefined();
    expect(rates.take(who, 1)).toBe(30);
    rates.change([limit(10), { per: 'all', requests: 3, every: 'minute' }]);
    expect(rates.take(who, 1)).toBeUndefined();
    // Everybody together had three, two of them before the change.
    expect(rates.take(who, 1)).toBe(20);
    rates.change([]);
    expect(rates.take(who, 1)).toBeUndefined();
  });
});

describe('budgets that are changed', () => {
  let bench: BudgetsBench;
  beforeEach(async () => {
    bench = await budgetsBench();
  });
  afterEach(() => bench.end());
  const alice = principalFixture('alice');

  it('hold at once, and what was used stays used', async () => {
    const budgets = await bench.open(budgetsFixture(100));
    const given = async () => {
      for (let n = 0; ; n++) if ((await budgets.take(alice, 'm', 1)) === 'refuse') return n;
    };
    expect(await given()).toBe(100);
    await budgets.change(budgetsFixture(130));
    bench.clocks.monotonic += 2000;
    expect(await given()).toBe(30);
    await budgets.change(budgetsFixture(50));
    bench.clocks.monotonic += 2000;
    expect(await given()).toBe(0);
    expect(await budgets.uses(alice, 'm')).toMatchObject([{ used: 130, limit: 50, step: 'refuse' }]);
    await budgets.change(budgetsFixture(131));
    bench.clocks.monotonic += 2000;
    expect(await given()).toBe(1);
    await budgets.close();
  });

  it('in the middle of a thousand calls give no more than the larger limit', async () => {
    const budgets = await bench.open(budgetsFixture(300));
    const calls = Array.from({ length: 1000 }, async (_, i) => {
      await new Promise((done) => setTimeout(done, i % 40));
      return budgets.take(alice, 'm', 1);
    });
    for (const queries of [200, 350, 250]) {
      await new Promise((done) => setTimeout(done, 8));
      await budgets.change(budgetsFixture(queries));
    }
    const answers = await Promise.all(calls);
    const given = answers.filter((step) => step !== 'refuse').length;
    expect(given).toBeGreaterThanOrEqual(200);
    expect(given).toBeLessThanOrEqual(350);
    expect((await budgets.uses(alice, 'm'))[0]!.used).toBe(given);
    await budgets.close();
  });

  it('stay as they were where the store is gone', async () => {
    const budgets = await bench.open(budgetsFixture(1000));
    await budgets.take(alice, 'm', 1);
    await bench.store.close();
    await expect(budgets.change(budgetsFixture(5000))).rejects.toThrow();
    expect(budgets.share(alice, 'm')).toBeLessThan(0.1);
    await budgets.close().catch(() => {});
    await bench.reopen();
  });
});
