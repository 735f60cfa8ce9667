import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mcnemar } from './mcnemar.ts';

describe('mcnemar', () => {
  // Fagerland, Lydersen and Laake 2013, https://doi.org/10.1186/1471-2288-13-91: airway hyper-responsiveness
  // (Bentur et al. 2009) and, as in the tests of the R package contingencytables, complete response (Cavo et al. 2012).
  it('gives the published p-values', () => {
    expect(mcnemar(1, 7).p).toBeCloseTo(0.0703, 4);
    expect(mcnemar(1, 7).midP).toBeCloseTo(0.0391, 4);
    expect(mcnemar(6, 16).p).toBeCloseTo(0.052479, 6);
    expect(mcnemar(6, 16).midP).toBeCloseTo(0.03469, 6);
  });

  // SciPy 1.17.1: binom.cdf, binom.pmf, chi2.sf.
  it.each([
    [59, 121, 4.4344492637551645e-6, 3.2666467957745733e-6, 20.67222222222222, 5.450094825427117e-6],
    [300, 420, 8.807756168615114e-6, 7.501715593073648e-6, 19.668055555555554, 9.212865413257213e-6],
    [5000, 5400, 9.116949314541157e-5, 8.760347563992203e-5, 15.307788461538461, 9.133914535942396e-5],
  ])('agrees with SciPy on %i and %i', (b, c, p, midP, statistic, chiP) => {
    const test = mcnemar(b, c);
    expect(test.p / p).toBeCloseTo(1, 9);
    expect(test.midP / midP).toBeCloseTo(1, 9);
    expect(test.chiSquare!.statistic).toBeCloseTo(statistic, 12);
    expect(test.chiSquare!.p / chiP).toBeCloseTo(1, 9);
  });

  it('finds nothing where there is nothing', () => {
    expect(mcnemar(0, 0)).toEqual({ p: 1, midP: 1 });
    expect(mcnemar(40, 40).p).toBe(1);
    expect(mcnemar(40, 40).chiSquare).toEqual({ statistic: 0, p: 1 });
  });

  it('needs six pairs that all fall to one side before it speaks', () => {
    expect(mcnemar(0, 5).p).toBeCloseTo(2 / 2 ** 5, 15);
    expect(mcnemar(0, 6).p).toBeCloseTo(2 / 2 ** 6, 15);
  });

  it('leaves out the approximation for few pairs', () => {
    expect(mcnemar(2, 22).chiSquare).toBeUndefined();
    expect(mcnemar(2, 23).chiSquare).toBeDefined();
  });

  it('treats both sides alike, and the mid-p-value is never above the exact one', () => {
    const side = fc.integer({ min: 0, max: 500 });
    fc.assert(
      fc.property(side, side, (b, c) => {
        const test = mcnemar(b, c);
        expect(mcnemar(c, b)).toEqual(test);
        expect(test.p).toBeLessThanOrEqual(1);
        expect(test.midP).toBeLessThanOrEqual(test.p);
        expect(test.midP).toBeGreaterThan(0);
      }),
    );
  });

  it('rejects a fair coin no more often than it says', () => {
    // The exact distribution: Σ over b of P(b) where p ≤ 0.05.
    for (const n of [10, 25, 60]) {
      let size = 0;
      let point = 0.5 ** n;
      for (let b = 0; b <= n; b++) {
        if (mcnemar(b, n - b).p <= 0.05) size += point;
        point *= (n - b) / (b + 1);
      }
      expect(size).toBeLessThanOrEqual(0.05);
      expect(size).toBeGreaterThan(0.01);
    }
  });

  it.each([
    [-1, 3],
    [1.5, 3],
    [Number.NaN, 3],
    [1e9, 1],
  ])('refuses mcnemar(%d, %d)', (b, c) => {
    expect(() => mcnemar(b, c)).toThrow(/expected/);
  });
});
