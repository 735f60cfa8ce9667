import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kthLargest } from './kth-largest.ts';

describe('kthLargest', () => {
  it('gives what sorting gives, for equal values too', () => {
    const values = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.nat(), (given, at) => {
        const k = 1 + (at % given.length);
        const sorted = given.toSorted((a, b) => b - a);
        expect(kthLargest(Float32Array.from(given), k)).toBe(sorted[k - 1]);
      }),
    );
  });

  it('copes with values that are sorted already, either way', () => {
    const rising = Float32Array.from({ length: 5000 }, (_, i) => i);
    expect(kthLargest(rising, 10)).toBe(4990);
    expect(
      kthLargest(
        Float32Array.from({ length: 5000 }, (_, i) => 5000 - i),
        5000,
      ),
    ).toBe(1);
  });
});
