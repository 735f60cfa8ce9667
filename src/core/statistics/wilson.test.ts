import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wilson } from './wilson.ts';

describe('wilson', () => {
  // Newcombe 1998, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, table I,
  // method 3 (score without continuity correction), printed to four places.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('gives the published interval of %i out of %i', (successes, n, low, high) => {
    const interval = wilson(successes, n);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });

  it('solves the equation that defines it: |p − π| = z·√(π(1 − π)/n) at both ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (n, share) => {
          const successes = Math.round(share * n);
          if (successes === 0 || successes === n) return;
          for (const end of wilson(successes, n)) {
            expect(Math.abs(successes / n - end)).toBeCloseTo(1.96 * Math.sqrt((end * (1 - end)) / n), 9);
          }
        },
      ),
    );
  });

  it('stays in [0, 1] and around the observed proportion', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.nat(), (n, any) => {
        const successes = any % (n + 1);
        const [low, high] = wilson(successes, n);
        expect(0 <= low && low <= successes / n && successes / n <= high && high <= 1).toBe(true);
      }),
    );
  });

  it('knows nothing without samples', () => {
    expect(wilson(0, 0)).toEqual([0, 1]);
  });

  it.each([
    [-1, 10, 1.96],
    [11, 10, 1.96],
    [0.5, 10, 1.96],
    [1, Number.NaN, 1.96],
    [1, -1, 1.96],
    [1, 10, 0],
    [1, 10, Number.POSITIVE_INFINITY],
  ])('refuses wilson(%d, %d, %d)', (successes, n, z) => {
    expect(() => wilson(successes, n, z)).toThrow(/expected/);
  });
});
