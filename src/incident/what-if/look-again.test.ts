import { describe, expect, it } from 'vitest';
import { START } from '../incident.fixture.ts';
import { decisionOf, memoryPast } from '../past.fixture.ts';
import type { PastDecision } from '../past.ts';
import type { LookAgain, SecondLook } from './look-again.ts';
import { runWhatIf } from './run-what-if.ts';

const signal = new AbortController().signal;
const change = { kind: 'guard', guard: 'energy', threshold: 5, action: 'refuse' } as const;

/** Shows the guard each call by `say`; `shown` are the entries in the order in which it was. */
const looking = (say: (decision: PastDecision) => SecondLook | undefined) => {
  const shown: number[] = [];
  const lookAgain: LookAgain = {
    run: async (calls) =>
      calls.map((each) => {
        shown.push(each.entry);
        return say(each);
      }),
  };
  return { shown, lookAgain };
};
const run = (all: readonly PastDecision[], lookAgain: LookAgain, over: object = {}) =>
  runWhatIf('a', {}, change, { past: memoryPast(all, 3), signal, now: () => START, lookAgain, ...over });

describe('a guard that was not on, shown calls whose inputs were kept', () => {
  it('judges them by what it says now, in the order of the log, and the others by what it said then', async () => {
    const all = [
      decisionOf(0),
      decisionOf(1, { n: 4 }),
      decisionOf(2, { guards: [{ guard: 'energy', action: 'pass', score: 9 }] }),
      decisionOf(3, { guards: [{ guard: 'margin', action: 'flag', score: 1 }] }),
      decisionOf(4, { outcome: 'throttled' }),
      decisionOf(5, { outcome: 'unacceptable', guards: [{ guard: 'margin', action: 'refuse', score: 2 }] }),
      decisionOf(6, { outcome: 'held' }),
      decisionOf(7),
    ];
    const { shown, lookAgain } = looking(({ entry }) =>
      entry === 7 ? undefined : { score: entry === 0 ? 1 : entry === 3 ? null : 6 },
    );
    const done = await run(all, lookAgain);
    expect(shown).toEqual([0, 1, 3, 6, 7]);
    // 5 was refused before it could look, and of 7 nothing was kept.
    expect(done).toMatchObject({ state: 'done', looked: 5, lookedAgain: 4, unseen: 2 });
    expect(done.changed).toEqual([
      { from: 'answered', to: 'unacceptable', calls: 2, samples: 5 },
      { from: 'flagged', to: 'unacceptable', calls: 1, samples: 1 },
    ]);
    expect(done.caveats!.join()).toMatch(
      /4 calls were put to energy now.*2 calls.*1 calls had a score that is no number/s,
    );
  });

  it('says why it cannot, once', async () => {
    const { lookAgain } = looking(() => ({ cannot: 'guard energy: expected a calibration, got none' }));
    const done = await run([decisionOf(0), decisionOf(1)], lookAgain);
    expect(done).toMatchObject({ looked: 0, lookedAgain: 0, unseen: 2 });
    const said = done.caveats!.filter((each) => each.includes('expected a calibration'));
    expect(said).toEqual([
      'energy cannot look at what was kept: guard energy: expected a calibration, got none',
    ]);
  });

  it('is asked of guards alone, and not beyond the most', async () => {
    const { shown, lookAgain } = looking(() => ({ score: 1 }));
    const rate = { kind: 'rate', per: 'principal', requests: 1, every: 1e9 } as const;
    const past = memoryPast([decisionOf(0)], 3);
    const done = await runWhatIf('a', {}, rate, { past, signal, now: () => START, lookAgain });
    expect([shown, done.lookedAgain]).toEqual([[], undefined]);
    const many = Array.from({ length: 100_010 }, (_, i) => decisionOf(i));
    const most = await runWhatIf('a', {}, change, {
      ...{ past: memoryPast(many, 20_000), signal, now: () => START, lookAgain },
    });
    expect(most).toMatchObject({ looked: 100_000, lookedAgain: 100_000, unseen: 10 });
    expect(most.caveats!.join()).toMatch(/10 further calls were not put to energy/);
  });
});
