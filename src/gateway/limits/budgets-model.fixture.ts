import fc from 'fast-check';
import { expect } from 'vitest';
import type { Store } from '../../store/index.ts';
import { Refused } from '../refusal.ts';
import { budgetsBench, budgetsFixture, type Clocks } from './budgets.fixture.ts';
import { type OpenBudgets, openBudgets } from './open-budgets.ts';
import { principalFixture } from './rates.fixture.ts';

const HOUR = 3_600_000;
const WINDOW = 28 * HOUR;
const LIMIT = 600;
const alice = principalFixture('alice');

type Act =
  | { readonly act: 'take'; readonly at: number; readonly n: number; readonly times: number }
  | { readonly act: 'fail'; readonly at: number; readonly n: number }
  | { readonly act: 'wait'; readonly minutes: number }
  | { readonly act: 'set'; readonly days: number }
  | { readonly act: 'restart' | 'crash'; readonly at: number };

const at = fc.nat(1);
const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('take' as const),
      at,
      n: fc.integer({ min: 1, max: 40 }),
      times: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('fail' as const), at, n: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('wait' as const), minutes: fc.nat(600) }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('set' as const), days: fc.integer({ min: -900, max: 900 }) }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('restart' as const, 'crash' as const), at }) },
);

/**
 * Two gateways on one store that take, fail, wait, stop, crash and have their clocks set, in any order: no span of the window has more
 * than the budget, and after a window all of it is there again.
 */
export async function holdsWhateverHappens(runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 20, maxLength: 60 }), async (all) => {
      const bench = await budgetsBench();
      const config = budgetsFixture(LIMIT, {
        limits: [{ per: 'principal', queries: LIMIT, window: '28 hours' }],
        lease: 6,
        failed: 'free',
        timeout: '1 minute',
      });
      // Machines count their time from different beginnings; the system's clocks are set at will.
      const clocks: Clocks[] = [0, 1].map((i) => ({ wall: Date.UTC(2027, 0, 1), monotonic: i * 1e7 }));
      // A process that has crashed writes nothing more, not even what it had begun.
      const alive = [{ yes: true }, { yes: true }];
      const start = (i: number): Promise<OpenBudgets> => {
        const self = alive[i]!;
        const { store } = bench;
        const each: Store['each'] = (queries) =>
          self.yes ? store.each(queries) : Promise.reject(new Error('crashed'));
        return openBudgets(config, {
          store: { ...store, each },
          now: () => clocks[i]!.wall,
          monotonic: () => clocks[i]!.monotonic,
        });
      };
      const gateways: OpenBudgets[] = [await start(0), await start(1)];
      const crashed: OpenBudgets[] = [];
      let time = 0;
      const given: { readonly time: number; readonly n: number }[] = [];
      const take = async (i: number, n: number): Promise<boolean> => {
        try {
          return (await gateways[i]!.take(alice, 'm', n)) !== 'refuse';
        } catch (thrown) {
          if (thrown instanceof Refused) return false;
          throw thrown;
        }
      };
      for (const act of all) {
        if (act.act === 'take') {
          const taken = await Promise.all(Array.from({ length: act.times }, () => take(act.at, act.n)));
          for (const isGiven of taken) if (isGiven) given.push({ time, n: act.n });
        } else if (act.act === 'fail') {
          if (await take(act.at, act.n)) gateways[act.at]!.refund(alice, 'm', act.n);
        } else if (act.act === 'wait') {
          time += act.minutes * 60_000;
          for (const clock of clocks) clock.monotonic += act.minutes * 60_000;
          // Both write the time down meanwhile, as they do every minute.
          for (const gateway of gateways) await gateway.take(principalFixture('tick'), 'm', 1);
        } else if (act.act === 'set') {
          for (const clock of clocks) clock.wall += act.days * 24 * HOUR;
        } else {
          if (act.act === 'restart') await gateways[act.at]!.close();
          else {
            alive[act.at]!.yes = false;
            alive[act.at] = { yes: true };
            crashed.push(gateways[act.at]!);
          }
          clocks[act.at] = { wall: clocks[act.at]!.wall, monotonic: 17 };
          gateways[act.at] = await start(act.at);
        }
      }
      for (const { time: end } of given) {
        const span = given.filter((each) => each.time <= end && each.time > end - WINDOW);
        expect(span.reduce((sum, { n }) => sum + n, 0)).toBeLessThanOrEqual(LIMIT);
      }
      for (const clock of clocks) clock.monotonic += 30 * HOUR;
      await gateways[0]!.close();
      let after = 0;
      while (await take(1, 1)) after++;
      expect(after).toBe(LIMIT);
      await gateways[1]!.close();
      for (const each of crashed) await each.close().catch(() => {});
      await bench.end();
    }),
    { numRuns: runs, endOnFailure: true },
  );
}
