import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { saliencyPair } from './saliency-pair.ts';

/** The largest product over all pairs; 0 without one. */
function bestOfAll(gain: readonly number[], loss: readonly number[]): number {
  let best = 0;
  for (let p = 0; p < gain.length; p++) {
    for (let q = p + 1; q < gain.length; q++) {
      const [a, b] = [gain[p]! + gain[q]!, loss[p]! + loss[q]!];
      if (a > 0 && b > 0) best = Math.max(best, a * b);
    }
  }
  return best;
}

const moves = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
  maxLength: 30,
});

describe('saliencyPair', () => {
  it('finds the best of all pairs of moves that help in some respect', () => {
    fc.assert(
      fc.property(moves, (list) => {
        const real = list.filter(([a, b]) => a > 0 || b > 0);
        const [gain, loss] = [real.map(([a]) => a), real.map(([, b]) => b)];
        const best = bestOfAll(gain, loss);
        fc.pre(best > 0);
        const found = saliencyPair(Float64Array.from(gain), Float64Array.from(loss));
        expect(found.length).toBe(2);
        const [p, q] = found as [number, number];
        expect((gain[p]! + gain[q]!) * (loss[p]! + loss[q]!)).toBe(best);
      }),
      { numRuns: 500 },
    );
  });

  it('takes a single move where no two go together, and none where none helps', () => {
    const single = saliencyPair(Float64Array.of(0, 2, 0), Float64Array.of(0, 3, 0));
    expect(single).toEqual([1]);
    expect(saliencyPair(Float64Array.of(2, 0, -1), Float64Array.of(-3, 0, 5))).toEqual([0, 2]);
    expect(saliencyPair(Float64Array.of(2, -4), Float64Array.of(-3, 9))).toEqual([]);
    expect(saliencyPair(new Float64Array(3), new Float64Array(3))).toEqual([]);
  });
});
