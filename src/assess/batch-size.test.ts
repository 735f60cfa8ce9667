import { describe, expect, it } from 'vitest';
import { batchFor } from './batch-size.ts';

const of = (flops: number, activations: number, fixedBatch?: number) =>
  batchFor({ cost: { flops, activations }, fixedBatch });

describe('the batch of a model', () => {
  it('holds what a quarter of a second does', () => {
    // A gradient is three forward passes, and a second has 50 billion operations.
    expect(of(100e6, 1)).toBe(41);
    expect(of(1e12, 1)).toBe(1);
  });

  it('holds no more than a gibibyte of activations, forward and backward', () => {
    for (const activations of [1e6, 30e6]) {
      const batch = of(1, activations);
      expect(3 * 4 * activations * batch).toBeLessThanOrEqual(2 ** 30);
      expect(3 * 4 * activations * (batch + 1)).toBeGreaterThan(2 ** 30);
    }
  });

  it('is 512 at most, and 1 at least', () => {
    expect(of(0, 0)).toBe(512);
    expect(of(1, 1e12)).toBe(1);
  });

  it('is that of the file where the file fixes one', () => {
    expect(of(1e12, 1e12, 7)).toBe(7);
  });
});
