import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { between, finiteLimits } from './between.ts';

describe('between', () => {
  it('is what clipping is, once stored as a float32', () => {
    const limits = fc.tuple(
      fc.float({ noNaN: true, min: -4, max: 4 }),
      fc.float({ noNaN: true, min: 0, max: 4 }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -20, max: 20 }), limits, (v, [low, width]) => {
        const high = Math.fround(low + width);
        const clipped = Math.min(high, Math.max(low, v));
        expect(Math.abs(between(v, low, high) - clipped)).toBeLessThan(1e-14);
      }),
    );
    expect([-3, 0, 0.25, 1, 7].map((v) => between(v, 0, 1))).toEqual([0, 0, 0.25, 1, 1]);
    expect(between(0.3, 0.3, 0.3)).toBe(0.3);
  });
});

describe('finite limits', () => {
  it('are the bounds where those are near, and out of reach where there are none', () => {
    const x0 = Float32Array.of(0.5, -1, 3);
    expect(finiteLimits([0, 1], x0, 10)).toEqual([0, 1]);
    expect(finiteLimits([Number.NEGATIVE_INFINITY, 5], x0, 2)).toEqual([-5, 5]);
    expect(finiteLimits([0, Number.POSITIVE_INFINITY], x0, 2)).toEqual([0, 7]);
  });
});
