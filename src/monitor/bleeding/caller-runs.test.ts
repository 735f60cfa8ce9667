import { describe, expect, it } from 'vitest';
import { openCallerRuns } from './caller-runs.ts';

describe('runs of a caller', () => {
  it('are one number: their mean, with the decision that had most of it', () => {
    const runs = openCallerRuns();
    const take = (x: number, at: number, caller = 'ann') => runs.take(x, caller, 'acme', `d${at}`, at);
    expect([take(0.2, 0), take(0.8, 3000), take(0.5, 12_000)]).toEqual([[], [], []]);
    // Ten seconds of silence.
    expect(take(0.1, 22_000)).toEqual([
      { x: 0.5, caller: 'ann', group: 'acme', decision: 'd3000', at: 12_000 },
    ]);
    expect(take(0.9, 23_000, 'ben')).toEqual([]);
  });

  it('end after a minute, whoever calls then', () => {
    const runs = openCallerRuns();
    const ended = Array.from({ length: 130 }, (_, i) => runs.take(i % 2, 'ann', '', 'd', 1000 * i)).flat();
    expect(ended.map(({ x, at }) => [x, at])).toEqual([
      [0.5, 59_000],
      [0.5, 119_000],
    ]);
    expect(runs.take(0, 'ben', '', 'd', 200_000).map(({ caller }) => caller)).toEqual(['ann']);
  });

  it('take nothing that is no number, and neither lose nor gather callers without end', () => {
    const runs = openCallerRuns();
    for (const [x, at] of [
      [Number.NaN, 0],
      [0.5, Number.NaN],
      [0.5, Number.POSITIVE_INFINITY],
    ] as const)
      expect(runs.take(x, 'ann', '', 'd', at)).toEqual([]);
    let ended = 0;
    for (let i = 0; i < 10_000; i++) ended += runs.take(0.5, `caller ${i}`, '', 'd', 1e6 + i / 1000).length;
    expect(ended).toBeGreaterThanOrEqual(10_000 - 4096);
    // A clock that is set back ends its caller's as well.
    const again = runs.take(0.5, 'caller 9999', '', 'd', 0);
    expect(again.map(({ caller }) => caller)).toContain('caller 9999');
  });
});
