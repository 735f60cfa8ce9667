import fc from 'fast-check';
import { expect, it } from 'vitest';
import { normalQuantile, normalTail } from './normal.ts';

// SciPy 1.17.1: norm.sf(z).
it.each([
  [0, 0.5],
  [0.5, 0.3085375387259869],
  [1.96, 0.024997895148220435],
  [2.5, 0.006209665325776132],
  [3.5, 0.00023262907903552502],
  [6, 9.865876450376946e-10],
  [10, 7.61985302416047e-24],
  [-1.3, 0.9031995154143897],
])('normalTail(%d)', (z, tail) => {
  expect(Math.abs(normalTail(z) / tail - 1)).toBeLessThan(1e-12);
});

// SciPy 1.17.1: norm.ppf(p).
it.each([
  [0.975, 1.959963984540054],
  [0.995, 2.5758293035489004],
  [0.5, 0],
  [0.01, -2.3263478740408408],
  [1e-10, -6.361340902404056],
])('normalQuantile(%d)', (p, z) => {
  expect(normalQuantile(p)).toBeCloseTo(z, 12);
});

it('series and fraction meet without a step', () => {
  fc.assert(
    fc.property(fc.double({ min: 2.9, max: 3.1, noNaN: true }), (z) => {
      const slope = -Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
      expect((normalTail(z + 1e-6) - normalTail(z)) / 1e-6).toBeCloseTo(slope, 6);
    }),
  );
});
