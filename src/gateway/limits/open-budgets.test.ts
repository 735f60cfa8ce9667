import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BudgetStep } from '../limits.ts';
import { Refused } from '../refusal.ts';
import { type BudgetsBench, budgetsBench, budgetsFixture } from './budgets.fixture.ts';
import { budgetsSchema } from './budgets-schema.ts';
import type { OpenBudgets } from './open-budgets.ts';
import { principalFixture } from './rates.fixture.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const alice = principalFixture('alice');

let bench: BudgetsBench;
beforeEach(async () => {
  bench = await budgetsBench();
});
afterEach(() => bench.end());

/** Takes one at a time until refused; how many were given. */
async function drain(budgets: OpenBudgets, principal = alice, model = 'm', n = 1): Promise<number> {
  for (let given = 0; ; given += n) if ((await budgets.take(principal, model, n)) === 'refuse') return given;
}

describe('a query budget', () => {
  it('gives exactly what it says, in the steps that the policy names', async () => {
    const budgets = await bench.open(budgetsFixture(100));
    const steps: BudgetStep[] = [];
    for (let i = 0; i < 102; i++) steps.push(await budgets.take(alice, 'm', 1));
    const changes = steps.flatMap((step, i) => (step === steps[i - 1] ? [] : [[i, step]]));
    expect(changes).toEqual([
      [0, 'full'],
      [50, 'rounded'],
      [75, 'top1'],
      [90, 'label'],
      [100, 'refuse'],
    ]);
    expect(await budgets.state('alice', 'm')).toEqual({
      scope: 'principal',
      window: 2_419_200_000,
      used: 100,
      limit: 100,
      step: 'refuse',
    });
    await budgets.close();
  });

  it('shows how far those in use are used up, without whose', async () => {
    const config = budgetsSchema.parse({
      limits: [
        { per: 'principal', queries: 100 },
        { per: 'tenant', queries: 1000 },
      ],
    });
    const budgets = await bench.open(config);
    for (const [i, n] of [10, 60, 80, 95, 100].entries())
      await budgets.take(principalFixture(`p${i}`), 'm', n);
    const none = { full: 0, rounded: 0, top1: 0, label: 0, refuse: 0 };
    expect(budgets.standing()).toEqual([
      { scope: 'principal', counts: { full: 1, rounded: 1, top1: 1, label: 1, refuse: 1 }, share: 1 },
      { scope: 'tenant', counts: { ...none, full: 1 }, share: 0.345 },
      { scope: 'model', counts: none, share: 0 },
    ]);
    await budgets.close();
  });

  it('answers at once where enough is held', async () => {
    const budgets = await bench.open(budgetsFixture(100_000));
    expect(await budgets.take(alice, 'm', 1)).toBe('full');
    for (let i = 0; i < 100; i++) expect(budgets.take(alice, 'm', 1)).toBe('full');
    await budgets.close();
  });

  it('counts a batch of n as n, and refuses one that does not fit without taking anything', async () => {
    const budgets = await bench.open(budgetsFixture(100));
    expect(await budgets.take(alice, 'm', 60)).toBe('rounded');
    expect(await budgets.take(alice, 'm', 41)).toBe('refuse');
    expect(await budgets.take(alice, 'm', 101)).toBe('refuse');
    expect(await budgets.take(alice, 'm', 40)).toBe('label');
    await budgets.close();
  });

  it('cannot be overspent by a thousand requests at once at its edge (abuse group 22)', async () => {
    const budgets = await bench.open(budgetsFixture(5000));
    for (let i = 0; i < 45; i++) await budgets.take(alice, 'm', 100);
    const steps = await Promise.all(Array.from({ length: 1000 }, async () => budgets.take(alice, 'm', 1)));
    expect(steps.filter((step) => step !== 'refuse')).toHaveLength(500);
    expect(await budgets.take(alice, 'm', 1)).toBe('refuse');
    await budgets.close();
  });

  it('cannot be overspent by parallel batches of many sizes', async () => {
    const budgets = await bench.open(budgetsFixture(1000, { lease: 7 }));
    const sizes = Array.from({ length: 300 }, (_, i) => 1 + ((i * 37) % 23));
    const steps = await Promise.all(sizes.map(async (n) => budgets.take(alice, 'm', n)));
    const given = sizes.reduce((sum, n, i) => sum + (steps[i] === 'refuse' ? 0 : n), 0);
    expect(given).toBeLessThanOrEqual(1000);
    expect(given + (await drain(budgets))).toBe(1000);
    await budgets.close();
  });

  it('is of the principal: another key of the same one has no more (abuse group 22)', async () => {
    const budgets = await bench.open(budgetsFixture(10));
    expect(await drain(budgets)).toBe(10);
    expect(await budgets.take({ ...alice, credential: 'key-2' }, 'm', 1)).toBe('refuse');
    expect(await drain(budgets, principalFixture('bob'))).toBe(10);
    await budgets.close();
  });

  it('of a tenant holds however many principals share it, and one of a model whoever asks (abuse group 23)', async () => {
    const config = budgetsSchema.parse({
      limits: [
        { per: 'principal', queries: 10 },
        { per: 'tenant', queries: 25 },
        { per: 'model', queries: 60 },
      ],
    });
    const budgets = await bench.open(config);
    let given = 0;
    for (let i = 0; i < 8; i++) given += await drain(budgets, principalFixture(`sybil-${i}`));
    expect(given).toBe(25);
    for (const tenant of ['b', 'c', 'd'])
      for (let i = 0; i < 4; i++)
        given += await drain(budgets, principalFixture(`${tenant}-${i}`, { tenant }));
    expect(given).toBe(60);
    await budgets.close();
  });

  it('holds against who asks slowly, below every rate (abuse group 23)', async () => {
    const budgets = await bench.open(budgetsFixture(100));
    let given = 0;
    for (let hour = 0; hour < 28 * 24; hour++) {
      bench.clocks.monotonic += HOUR;
      if ((await budgets.take(alice, 'm', 1)) !== 'refuse') given++;
    }
    expect(given).toBe(100);
    await budgets.close();
  });

  it('in no span of its window gives more than it says', async () => {
    const budgets = await bench.open(budgetsFixture(50, { lease: 10 }));
    const taken: number[] = [];
    for (let step = 0; step < 400; step++) {
      bench.clocks.monotonic += 7 * HOUR;
      for (let i = 0; i < (step * 13) % 9; i++)
        if ((await budgets.take(alice, 'm', 1)) !== 'refuse') taken.push(bench.clocks.monotonic);
    }
    const most = Math.max(
      ...taken.map((end) => taken.filter((at) => at <= end && at > end - 28 * DAY).length),
    );
    expect(most).toBe(50);
    expect(taken.length).toBeGreaterThan(150);
    await budgets.close();
  });

  it('comes back once the window has passed', async () => {
    const budgets = await bench.open(budgetsFixture(10));
    expect(await drain(budgets)).toBe(10);
    bench.clocks.monotonic += 27 * DAY;
    expect(await drain(budgets)).toBe(0);
    // A step of the window, and what clocks of several gateways may be apart.
    bench.clocks.monotonic += 2 * DAY + HOUR;
    expect(await drain(budgets)).toBe(10);
    await budgets.close();
  });

  it('does not come back when the clock is set, forward or back (abuse group 22)', async () => {
    const budgets = await bench.open(budgetsFixture(10));
    expect(await drain(budgets)).toBe(10);
    for (const step of [400 * DAY, -900 * DAY, 60 * DAY]) {
      bench.clocks.wall += step;
      bench.clocks.monotonic += 2000;
      expect(await drain(budgets)).toBe(0);
    }
    await budgets.close();
  });

  it('does not come back after a restart, with the clock set forward or back over it (abuse group 22)', async () => {
    for (const step of [0, 400 * DAY, -900 * DAY]) {
      const before = await bench.open(budgetsFixture(10));
      const given = await drain(before);
      expect(given).toBe(step === 0 ? 10 : 0);
      await before.close();
      bench.clocks.wall += step;
      bench.clocks.monotonic = 5;
      await bench.reopen();
    }
    const after = await bench.open(budgetsFixture(10));
    expect(await drain(after)).toBe(0);
    await after.close();
  });

  it('counts as much of a standstill as the policy trusts the clock for', async () => {
    const config = budgetsFixture(10, { mostDowntime: '30 days' });
    const before = await bench.open(config);
    expect(await drain(before)).toBe(10);
    await before.close();
    bench.clocks.wall += 10 * DAY;
    const between = await bench.open(config);
    expect(await drain(between)).toBe(0);
    await between.close();
    bench.clocks.wall += 20 * DAY;
    const after = await bench.open(config);
    expect(await drain(after)).toBe(10);
    await after.close();
  });

  it('loses nothing over a clean restart, and a lease at most where the process was killed', async () => {
    const config = budgetsFixture(5000, { lease: 50 });
    const first = await bench.open(config);
    for (let i = 0; i < 60; i++) await first.take(alice, 'm', 1);
    await first.close();
    const second = await bench.open(config);
    expect((await second.state('alice', 'm')).used).toBe(60);
    for (let i = 0; i < 60; i++) await second.take(alice, 'm', 1);
    // Not closed: what it holds is lost.
    const third = await bench.open(config);
    const { used } = await third.state('alice', 'm');
    expect(used).toBeGreaterThanOrEqual(120);
    expect(used).toBeLessThanOrEqual(170);
    await third.close();
    await second.close();
  });

  it('gives calls back that failed, where the policy says so', async () => {
    for (const [failed, left] of [
      ['free', 5],
      ['count', 0],
    ] as const) {
      const budgets = await bench.open(budgetsFixture(10, { failed }));
      const who = principalFixture(failed);
      expect(await drain(budgets, who)).toBe(10);
      budgets.refund(who, 'm', 5);
      expect(await drain(budgets, who)).toBe(left);
      budgets.refund(who, 'm', 1000);
      await budgets.close();
      const again = await bench.open(budgetsFixture(10, { failed }));
      expect(await drain(again, who)).toBe(failed === 'free' ? 10 : 0);
      await again.close();
    }
  });

  it('never refunds more than was taken, nor to another step of the window', async () => {
    const budgets = await bench.open(budgetsFixture(10, { failed: 'free' }));
    budgets.refund(alice, 'm', 100);
    expect(await drain(budgets)).toBe(10);
    bench.clocks.monotonic += 2 * DAY;
    budgets.refund(alice, 'm', 10);
    expect(await drain(budgets)).toBe(0);
    await budgets.close();
  });

  it('is the first that fits, and each model has its own unless they are counted together', async () => {
    const config = budgetsSchema.parse({
      limits: [
        { per: 'principal', who: ['partner-*'], queries: 30 },
        { per: 'principal', models: ['a', 'b'], together: true, queries: 12 },
        { per: 'principal', queries: 5 },
      ],
    });
    const budgets = await bench.open(config);
    expect(await drain(budgets, principalFixture('partner-1'), 'a')).toBe(30);
    expect(await drain(budgets, principalFixture('partner-1'), 'b')).toBe(30);
    expect((await drain(budgets, alice, 'a')) + (await drain(budgets, alice, 'b'))).toBe(12);
    expect(await drain(budgets, alice, 'c')).toBe(5);
    await budgets.close();
  });

  it('takes an account for another under no name', async () => {
    const budgets = await bench.open(
      budgetsSchema.parse({
        limits: [
          { per: 'principal', queries: 3 },
          { per: 'tenant', queries: 100 },
        ],
      }),
    );
    for (const [id, model] of [
      ['a', 'b","c'],
      ['a","b', 'c'],
      ['a\0b', 'c'],
      ['a', 'b\0c'],
      ['principal', 'c'],
    ] as const)
      expect(await drain(budgets, principalFixture(id), model)).toBe(3);
    await budgets.close();
  });

  it('keeps no more in memory than it may', async () => {
    const budgets = await bench.open(budgetsFixture(1000, { mostTracked: 100 }));
    for (let i = 0; i < 100; i++) expect(await budgets.take(principalFixture(`p${i}`), 'm', 1)).toBe('full');
    expect(() => budgets.take(principalFixture('one-more'), 'm', 1)).toThrow(Refused);
    expect(await budgets.take(principalFixture('p5'), 'm', 1)).toBe('full');
    await budgets.close();
  });

  it('cannot be filled by a call or a refund of less than one query', async () => {
    const budgets = await bench.open(budgetsFixture(10, { failed: 'free' }));
    expect(await budgets.take(alice, 'm', 5)).toBe('full');
    for (const n of [0, -5, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => budgets.take(alice, 'm', n)).toThrow(Refused);
      if (n <= 0 || Number.isNaN(n)) budgets.refund(alice, 'm', n);
    }
    expect(await drain(budgets)).toBe(5);
    await budgets.close();
  });

  it('refuses calls once it is closed', async () => {
    const budgets = await bench.open(budgetsFixture(10));
    await budgets.close();
    await budgets.close();
    expect(() => budgets.take(alice, 'm', 1)).toThrow(Refused);
  });
});

describe('while the store is gone', () => {
  it('what is held is still given, and then the call is refused', async () => {
    const budgets = await bench.open(budgetsFixture(10_000, { lease: 20 }));
    expect(await budgets.take(alice, 'm', 1)).toBe('full');
    await bench.store.close();
    const given: unknown[] = [];
    for (let i = 0; i < 30; i++)
      given.push(await Promise.resolve(attempt(() => budgets.take(alice, 'm', 1))));
    const refused = given.filter((outcome) => outcome instanceof Refused) as Refused[];
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(refused.every(({ refusal }) => refusal === 'unavailable')).toBe(true);
    expect(given.filter((outcome) => outcome === 'full').length).toBeLessThan(20);
  });

  it('a policy may answer with labels, and counts them once the store is back', async () => {
    const config = budgetsFixture(100, { lease: 1, storeGone: 'label' });
    const real = bench.store;
    let isGone = false;
    const store = {
      ...real,
      each: (queries: Parameters<typeof real.each>[0]) =>
        isGone ? Promise.reject(new Error('gone')) : real.each(queries),
    };
    const { openBudgets } = await import('./open-budgets.ts');
    const budgets = await openBudgets(config, { store, monotonic: () => bench.clocks.monotonic });
    for (let i = 0; i < 10; i++) await budgets.take(alice, 'm', 1);
    isGone = true;
    for (let i = 0; i < 30; i++) expect(['full', 'label']).toContain(await budgets.take(alice, 'm', 1));
    isGone = false;
    bench.clocks.monotonic += 1000;
    expect(await drain(budgets)).toBe(60);
    await budgets.close();
  });
});

async function attempt<T>(work: () => T | Promise<T>): Promise<T | unknown> {
  try {
    return await work();
  } catch (thrown) {
    return thrown;
  }
}
