import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialTerm, incompleteBeta, inverseIncompleteBeta, stirlingError } from './beta.ts';

describe('incompleteBeta', () => {
  // mpmath 1.3.0, betainc(a, b, 0, x, regularized=True) with 40 digits; the row of 10⁶ from SciPy 1.17.1.
  it.each([
    [0.5, 0.5, 0.1, 0.20483276469913347, 1e-13],
    [2.5, 700.25, 0.01, 0.9849556652886453, 1e-13],
    [500, 501, 0.45, 0.0008465492166192605, 1e-12],
    [3, 1e6, 1e-6, 0.08030167298125863, 1e-9],
    [1e5, 3, 0.9999, 0.00276803396011611, 1e-9],
    [30, 1000, 1e-4, 5.26551510283192e-63, 1e-11],
    [1e6, 1e6, 0.4995, 0.07864957758091215, 1e-9],
  ])('of a = %d, b = %d at %d is what mpmath gives', (a, b, x, expected, slack) => {
    expect(Math.abs(incompleteBeta(a, b, x) / expected - 1)).toBeLessThan(slack);
  });

  it('sums the binomial probabilities for whole numbers', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.nat(),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        (n, any, x) => {
          const k = 1 + (any % n);
          let choose = 1;
          let tail = 0;
          for (let i = 0; i <= n; i++) {
            if (i >= k) tail += choose * x ** i * (1 - x) ** (n - i);
            choose = (choose * (n - i)) / (i + 1);
          }
          expect(incompleteBeta(k, n - k + 1, x)).toBeCloseTo(tail, 11);
        },
      ),
    );
  });

  it('ends at 0 and 1', () => {
    expect([incompleteBeta(2, 3, 0), incompleteBeta(2, 3, 1)]).toEqual([0, 1]);
  });

  it('converges at the largest counts', () => {
    expect(incompleteBeta(5e8, 5e8, 0.5)).toBeCloseTo(0.5, 6);
  });
});

it('inverseIncompleteBeta undoes incompleteBeta', () => {
  const shape = fc.integer({ min: 1, max: 20_000 });
  fc.assert(
    fc.property(shape, shape, fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), (a, b, p) => {
      expect(incompleteBeta(a, b, inverseIncompleteBeta(a, b, p))).toBeCloseTo(p, 9);
    }),
  );
});

it('binomialTerm is exact where the value is known: 10 of 20 at ½', () => {
  expect(binomialTerm(10, 10, 0.5)).toBeCloseTo(184756 / 2 ** 20, 15);
});

it('stirlingError of small numbers is ln z! minus Stirling’s formula', () => {
  for (const [z, factorial] of [
    [1, 1],
    [5, 120],
    [15, 1307674368000],
    [17, 355687428096000],
  ] as const) {
    const stirling = (z + 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI);
    expect(stirlingError(z)).toBeCloseTo(Math.log(factorial) - stirling, 13);
  }
});
