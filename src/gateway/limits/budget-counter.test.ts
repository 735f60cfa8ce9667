import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBudgetClock } from './budget-clock.ts';
import { budgetCounter, type Counter } from './budget-counter.ts';
import { type BudgetLedger, budgetLedger } from './budget-ledger.ts';
import { type BudgetsBench, budgetsBench } from './budgets.fixture.ts';

const DAY = 86_400_000;
const account = { id: 'a', scope: 'principal', subject: 's', model: 'm', window: 28 * DAY, limit: 10_000 };

let bench: BudgetsBench;
let ledger: BudgetLedger;
let counter: Counter;
beforeEach(async () => {
  bench = await budgetsBench();
  const monotonic = () => bench.clocks.monotonic;
  const clock = await openBudgetClock({
    store: bench.store,
    monotonic,
    now: () => bench.clocks.wall,
    mostDowntime: 0,
  });
  ledger = budgetLedger(bench.store, clock);
  counter = budgetCounter(account, { ledger, clock, monotonic, lease: 50, timeout: 60_000 });
});
afterEach(() => bench.end());

const taken = () => ledger.taken(account, bench.clocks.wall);

describe('a share of a budget', () => {
  it('holds what has been written down as taken, and never more than a lease or what is asked for', async () => {
    await counter.more(1);
    expect(counter.held()).toBe(50);
    expect(await taken()).toBe(50);
    counter.take(20);
    await counter.more(70);
    expect(counter.held()).toBe(70);
    expect(await taken()).toBe(90);
  });

  it('is renewed before it runs out', async () => {
    await counter.more(1);
    for (let i = 0; i < 10; i++) {
      counter.take(10);
      await new Promise((resolve) => setTimeout(resolve, 20));
      while (counter.held() < 25) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await taken()).toBeLessThanOrEqual(150);
  });

  it('cannot be taken from while it is given back', async () => {
    await counter.more(1);
    counter.take(10);
    const settling = counter.settle();
    expect(counter.held()).toBe(0);
    await settling;
    expect(counter.held()).toBe(0);
    expect(counter.isIdle()).toBe(true);
    expect(await taken()).toBe(10);
    expect(counter.used()).toBe(10);
  });

  it('is got again by whoever asks while it is given back', async () => {
    await counter.more(1);
    const settling = counter.settle();
    await counter.more(5);
    expect(counter.held()).toBe(50);
    await settling;
    expect(await taken()).toBe(50);
  });

  it('ends with its step: what is left goes back to that step and is taken anew', async () => {
    await counter.more(1);
    counter.take(10);
    bench.clocks.monotonic += DAY;
    expect(counter.held()).toBe(0);
    await counter.more(1);
    expect(counter.held()).toBe(50);
    expect(await taken()).toBe(60);
    const row = await bench.store.db.selectFrom('budgets').select('slots').executeTakeFirstOrThrow();
    expect(JSON.parse(row.slots).map(([, , n]: readonly number[]) => n)).toEqual([10, 50]);
  });

  it('never gives back what was refunded and given back already', async () => {
    await counter.more(1);
    counter.take(30);
    await counter.settle();
    counter.refund(30);
    counter.refund(30);
    expect(counter.held()).toBe(0);
    expect(await taken()).toBe(30);
  });
});
