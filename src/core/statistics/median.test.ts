import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { medianOf } from './median.ts';

const INF = Number.POSITIVE_INFINITY;
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe('medianOf', () => {
  // Table of exact binomial confidence intervals of a median, e.g. Conover 1999, "Practical Nonparametric Statistics".
  it.each([
    [6, 1, 6, 0.969],
    [9, 2, 8, 0.961],
    [10, 2, 9, 0.979],
    [12, 3, 10, 0.961],
    [17, 5, 13, 0.951],
    [20, 6, 15, 0.959],
    [1000, 469, 532, 0.954],
  ])('takes of %i values the %i. and the %i.', (n, low, high, coverage) => {
    const found = medianOf(upTo(n));
    expect(found.interval).toEqual([low, high]);
    expect(found.coverage).toBeCloseTo(coverage, 3);
    expect(found.median).toBe((n + 1) / 2);
  });

  it('says nothing about the interval with five values or fewer', () => {
    expect(medianOf(upTo(5))).toEqual({ median: 3, interval: [-INF, INF], coverage: 1, censored: 0 });
    expect(medianOf([4]).median).toBe(4);
  });

  it('counts samples that were never fooled as beyond every value', () => {
    expect(medianOf([0.31, 0.12, INF, 0.25, 0.4, 0.2, 0.27])).toEqual({
      median: 0.27,
      interval: [0.12, INF],
      coverage: 1 - 2 / 2 ** 7,
      censored: 1,
    });
    expect(medianOf([1, 2, 3, INF, INF, INF]).median).toBe(INF);
    expect(medianOf([INF, INF, INF]).median).toBe(INF);
    // Leaving them out would give 2.
    expect(medianOf([1, 2, 3, INF, INF]).median).toBe(3);
  });

  it('does not care how far away the censored values are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 60 }),
        fc.nat(60),
        (values, cut) => {
          const all = [...values].sort((a, b) => a - b);
          const kept = Math.max(Math.ceil(all.length / 2) + 1, cut % (all.length + 1));
          const censored = all.map((v, i) => (i < kept ? v : INF));
          expect(medianOf(censored).median).toBe(medianOf(all).median);
          expect(medianOf(censored).interval[0]).toBe(medianOf(all).interval[0]);
        },
      ),
    );
  });

  it.each([[[]], [[1, Number.NaN]], [[-INF, 1]]])('refuses %j', (values) => {
    expect(() => medianOf(values)).toThrow(/expected numbers/);
  });
});
