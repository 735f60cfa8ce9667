import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitting } from './fitting.ts';

describe('fitting', () => {
  it('gives the smallest halving that holds the count, not below 4, never above the full batch', () => {
    expect([1, 4, 5, 32, 33, 64].map((n) => fitting(n, 64))).toEqual([4, 4, 8, 32, 64, 64]);
    expect([0, 1, 2, 3].map((n) => fitting(n, 3))).toEqual([3, 3, 3, 3]);
    expect(fitting(1, 1)).toBe(1);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 600 }), (count, full) => {
        const rows = fitting(Math.min(count, full), full);
        expect(rows).toBeGreaterThanOrEqual(Math.min(count, full));
        expect(rows).toBeLessThanOrEqual(full);
        expect(Math.ceil(rows / 2) >= count && rows > 4).toBe(false);
      }),
    );
  });
});
