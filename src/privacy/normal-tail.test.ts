import { describe, expect, it } from 'vitest';
import { normalTail } from './normal-tail.ts';

// mpmath 1.4.1, 40 digits: ncdf(-z).
const TAILS: readonly (readonly [number, number])[] = [
  [-3, 0.9986501019683699],
  [-1, 0.8413447460685429],
  [0, 0.5],
  [0.5, 0.3085375387259869],
  [1.7, 0.04456546275854304],
  [1.8, 0.0359303191129258],
  [4, 3.1671241833119924e-5],
  [10, 7.619853024160525e-24],
  [30, 4.906713927148187e-198],
  [37, 5.725571222524577e-300],
];

describe('normalTail', () => {
  it.each(TAILS)('of %f keeps its digits', (z, wanted) => {
    expect(Math.abs(normalTail(z) / wanted - 1)).toBeLessThan(2e-14 * (1 + z * z));
  });

  it('falls, and both tails make one', () => {
    for (let z = -6; z < 6; z += 0.01) {
      expect(normalTail(z + 0.01)).toBeLessThan(normalTail(z));
      expect(normalTail(z) + normalTail(-z)).toBeCloseTo(1, 14);
    }
  });
});
