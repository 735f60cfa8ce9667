import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fisherExact } from './fisher.ts';

describe('fisherExact', () => {
  it('gives the p-value of the lady tasting tea: 34/70', () => {
    expect(fisherExact([3, 4], [1, 4])).toBeCloseTo(34 / 70, 12);
  });

  // SciPy 1.17.1: fisher_exact(table).pvalue.
  it.each([
    [1, 10, 11, 14, 0.0027594561852200836],
    [90, 100, 70, 100, 0.0006504107076034208],
    [674, 1000, 640, 1000, 0.12005219233005628],
    [10, 10, 0, 10, 1.082508822446903e-5],
    [0, 5, 0, 7, 1],
  ])('agrees with SciPy on %i/%i against %i/%i', (k, n, l, m, p) => {
    expect(fisherExact([k, n], [l, m]) / p).toBeCloseTo(1, 9);
  });

  it('treats both sides, and successes and failures, alike', () => {
    const part = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(part, part, part, part, (a, b, c, d) => {
        const p = fisherExact([a, a + b], [c, c + d]);
        expect(p).toBeLessThanOrEqual(1);
        expect(fisherExact([c, c + d], [a, a + b])).toBeCloseTo(p, 9);
        expect(fisherExact([b, a + b], [d, c + d])).toBeCloseTo(p, 9);
      }),
    );
  });

  it('comes to an end with millions of samples', () => {
    expect(fisherExact([5e6, 1e7], [5e6, 1e7])).toBeCloseTo(1, 9);
    expect(fisherExact([1e7, 1e7], [0, 1e7])).toBe(0);
  });

  it('says nothing without samples', () => {
    expect(fisherExact([0, 0], [3, 9])).toBe(1);
  });
});
