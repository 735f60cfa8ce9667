import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { normalQuantile } from './normal-quantile.ts';
import { shapiroWilk } from './shapiro-wilk.ts';

describe('Shapiro-Wilk', () => {
  // Weights of eleven men, Shapiro and Wilk 1965, section 4; R's shapiro.test gives W = 0.78881.
  test('the example of the paper', () => {
    expect(shapiroWilk([148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236])).toBeCloseTo(0.78881, 3);
  });

  test('three values that lie even are all but normal; two are too few', () => {
    expect(shapiroWilk([1, 2, 3])).toBeCloseTo(1, 10);
    expect(shapiroWilk([1, 2])).toBeNaN();
    expect(shapiroWilk([4, 4, 4, 4])).toBeNaN();
    expect(shapiroWilk(new Float64Array(5001))).toBeNaN();
  });

  test('near 1 for normal values, and smaller for others', () => {
    const rng = randomFrom(1, 'w');
    const normal = Array.from({ length: 500 }, () => rng.normal());
    expect(shapiroWilk(normal)).toBeGreaterThan(0.99);
    expect(shapiroWilk(normal.map(Math.exp))).toBeLessThan(0.8);
    expect(shapiroWilk(normal.map((v) => (v > 0 ? 1 : 0)))).toBeLessThan(0.7);
  });

  test('place, scale and order do not matter', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 3, maxLength: 200 }),
        fc.integer({ min: 1, max: 50 }),
        (values, scale) => {
          const w = shapiroWilk(values);
          if (Number.isNaN(w)) return;
          expect(w).toBeGreaterThan(0);
          expect(w).toBeLessThanOrEqual(1);
          expect(shapiroWilk(values.toReversed().map((v) => scale * v + 7))).toBeCloseTo(w, 8);
        },
      ),
    );
  });

  test('normal quantiles', () => {
    for (const [p, z] of [
      [0.5, 0],
      [0.975, 1.959963984540054],
      [0.001, -3.090232306167813],
      [1e-9, -5.997807015008197],
    ] as const)
      expect(normalQuantile(p)).toBeCloseTo(z, 7);
  });
});
