import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { importance, weightedDistance } from './importance.ts';

describe('importance', () => {
  it('is the correlation with the target, without its sign, of length 1', () => {
    // Worked by hand: correlations 1, −1, 0 and 0 (constant).
    const rows = Float32Array.of(1, 6, 1, 5, 2, 4, -1, 5, 3, 2, -1, 5, 4, 0, 1, 5);
    const weights = importance(rows, 4, [10, 20, 30, 40]);
    expect([...weights]).toEqual([Math.SQRT1_2, Math.SQRT1_2, 0, 0].map((v) => expect.closeTo(v, 12)));
  });

  it('does not change with the scale of a column, far from 0 or of the target', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(0.5, 4, -16), (seed, factor) => {
        const rng = randomFrom(seed, 'rows');
        const rows = Float32Array.from({ length: 60 }, () => rng.integer(100));
        const target = Array.from({ length: 20 }, (_, i) => i % 2);
        const other = rows.map((v, i) => (i % 3 === 1 ? v * factor + 4096 : v));
        const expected = importance(rows, 3, target);
        const got = importance(
          other,
          3,
          target.map((t) => 5 - 3 * t),
        );
        for (const [j, w] of expected.entries()) expect(got[j]).toBeCloseTo(w, 9);
      }),
      { numRuns: 30 },
    );
  });

  it('is 0 everywhere for a target without variation, and never NaN', () => {
    expect([...importance(Float32Array.of(1, 2, 3, 4), 2, [7, 7])]).toEqual([0, 0]);
    const constant = new Float32Array(300).fill(0.1);
    expect([...importance(constant, 1, Array.from(constant.keys()))]).toEqual([0]);
  });

  it('refuses sizes that do not fit', () => {
    expect(() => importance(new Float32Array(5), 2, [1, 2])).toThrow(
      /expected at least two rows of 2 values/,
    );
    expect(() => importance(new Float32Array(2), 2, [1])).toThrow(/at least two rows/);
  });
});

describe('weightedDistance', () => {
  const x = Float32Array.of(9, 3, 1, 0);
  const clean = Float32Array.of(0, 5, 1);
  it.each([
    [1, 0.5 * 3 + 2 * 4],
    [2, Math.hypot(0.5 * 3, 2 * 4)],
    [Number.POSITIVE_INFINITY, 8],
  ] as const)('with p = %d', (p, expected) => {
    expect(weightedDistance([0.5, 2, 100], p, x, 1, clean, 0)).toBeCloseTo(
      p === 2 ? Math.hypot(1.5, 8, 100) : p === 1 ? 1.5 + 8 + 100 : 100,
      12,
    );
    expect(weightedDistance([0.5, 2, 0], p, x, 1, clean, 0)).toBeCloseTo(expected, 12);
  });
  it('is NaN where a value is', () => {
    expect(
      weightedDistance([1, 1], Number.POSITIVE_INFINITY, Float32Array.of(Number.NaN, 5), 0, clean, 0),
    ).toBeNaN();
  });
});
