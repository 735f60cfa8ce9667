import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { incompleteBeta } from './beta.ts';
import { clopperPearson } from './clopper-pearson.ts';

describe('clopperPearson', () => {
  // Newcombe 1998, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, table I,
  // method 5 (Clopper-Pearson), printed to four places.
  it.each([
    [81, 263, 0.2527, 0.3676],
    [15, 148, 0.0578, 0.1617],
    [0, 20, 0, 0.1684],
    [1, 29, 0.0009, 0.1776],
  ])('gives the published interval of %i out of %i', (successes, n, low, high) => {
    const interval = clopperPearson(successes, n);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });

  // By bisection on the binomial sums, in 40 digits (mpmath 1.3.0).
  it.each([
    [0, 10, 0.95, 0, 0.3084971078187608],
    [10, 10, 0.95, 0.6915028921812392, 1],
    [1, 1, 0.95, 0.025, 1],
    [64, 200, 0.95, 0.2559611876399574, 0.3894698850616582],
    [674, 1000, 0.95, 0.6439670107171489, 0.703004475760433],
    [674, 1000, 0.99, 0.6345477418104025, 0.7117710340324723],
    [1, 1000, 0.95, 2.531748749129404e-5, 0.005558924279826673],
    [999, 1000, 0.99, 0.9925937130616471, 0.9999949874707392],
    [3, 1000000, 0.95, 6.186725501906399e-7, 8.767247788145224e-6],
    [0, 1000000, 0.99, 0, 5.298303330489368e-6],
  ])('gives the ends of %i out of %i at %d to ten digits', (successes, n, confidence, low, high) => {
    const interval = clopperPearson(successes, n, confidence);
    for (const [i, end] of [low, high].entries())
      expect(Math.abs(interval[i]! - end)).toBeLessThanOrEqual(1e-10 * end);
  });

  it('solves the equations that define it: each tail has half of what is left', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(), (n, any) => {
        const k = any % (n + 1);
        const [low, high] = clopperPearson(k, n);
        // P(X ≥ k | low) = I_low(k, n − k + 1) and P(X ≤ k | high) = I_{1−high}(n − k, k + 1)
        if (k > 0) expect(incompleteBeta(k, n - k + 1, low)).toBeCloseTo(0.025, 10);
        if (k < n) expect(incompleteBeta(n - k, k + 1, 1 - high)).toBeCloseTo(0.025, 10);
      }),
    );
  });

  it('stays in [0, 1] and around the observed proportion, and mirrors', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.nat(), (n, any) => {
        const k = any % (n + 1);
        const [low, high] = clopperPearson(k, n);
        expect(0 <= low && low <= k / n && k / n <= high && high <= 1).toBe(true);
        expect(1 - clopperPearson(n - k, n)[0]).toBe(high);
      }),
    );
  });

  it('knows nothing without samples', () => {
    expect(clopperPearson(0, 0)).toEqual([0, 1]);
  });

  it.each([
    [-1, 10, 0.95],
    [11, 10, 0.95],
    [0.5, 10, 0.95],
    [1, Number.NaN, 0.95],
    [1, -1, 0.95],
    [1, 2e9, 0.95],
    [1, 10, 0],
    [1, 10, 1],
    [1, 10, Number.NaN],
  ])('refuses clopperPearson(%d, %d, %d)', (successes, n, confidence) => {
    expect(() => clopperPearson(successes, n, confidence)).toThrow(/expected/);
  });
});
