import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { holdsContract, projected, violated } from './contract.fixture.ts';
import { mask } from './mask.ts';

describe('mask', () => {
  it('holds what constraints promise', () => {
    const values = Uint8Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? 1 : 0));
    const moved = holdsContract({
      constraint: mask(values, [3, 4], [2, 3, 4]),
      clean(seed) {
        const rng = randomFrom(seed, 'clean');
        return Float32Array.from({ length: 24 }, () => rng.uniform());
      },
      bounds: [0, 1],
      eps: { linf: 0.3, l2: 1, l1: 2, l0: 8 },
    });
    expect(moved).toBeGreaterThan(0.8);
  });

  it('keeps the fixed elements and gives the whole ball to the others', () => {
    const constraint = mask([1, 0, 1], [3], [3]);
    expect(projected(constraint, [3, 9, 4], [0, 1, 0], { norm: 'l2', eps: 5, bounds: [-9, 9] })).toEqual([
      3, 1, 4,
    ]);
    expect(projected(constraint, [6, 9, 8], [0, 1, 0], { norm: 'l2', eps: 5, bounds: [-9, 9] })).toEqual([
      3, 1, 4,
    ]);
    expect(violated(constraint, [6, 9, 8], [0, 1, 0])).toBe('elements changed that the mask holds fixed: 1');
    expect(constraint.title).toBe('only 2 of 3 elements may change');
  });

  it.each([
    ['the same shape', [2, 2], [2, 2], [0, 1, 2]],
    ['channels first', [2, 2], [3, 2, 2], [0, 1, 2, 4, 5, 6, 8, 9, 10]],
    ['channels last', [2, 2], [2, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['an axis of 1', [1, 2, 2], [2, 2, 2], [0, 1, 2, 4, 5, 6]],
  ])('repeats a mask over channels: %s', (_, shape, sample, fixed) => {
    const constraint = mask([0, 0, 0, 1], shape, sample);
    const n = sample.reduce((product, size) => product * size, 1);
    const row = projected(constraint, new Array(n).fill(1), new Array(n).fill(0), {
      norm: 'linf',
      eps: 1,
      bounds: [0, 1],
    });
    expect(Array.from(row.keys()).filter((i) => row[i] === 0)).toEqual(fixed);
  });

  it.each([
    [[1, 1, 1], [3], [4], /expected the shape of a sample, \[4\].*got \[3\]/],
    [[1, 1, 1], [4], [4], /expected the shape of a sample/],
    [[1, 1], [2], [2, 3], /expected the shape of a sample/],
    [[1, 0.5], [2], [2], /expected 0 \(fixed\) and 1/],
    [[1, 255], [2], [2], /expected 0 \(fixed\) and 1/],
    [[0, 0], [2], [2], /expected elements that may change/],
  ])('refuses %j of shape %j for samples %j', (values, shape, sample, message) => {
    expect(() => mask(values, shape, sample)).toThrow(message);
  });

  it('refuses rows of another length', () => {
    expect(() => violated(mask([1, 0], [2], [2]), [1, 2, 3], [1, 2, 3])).toThrow(
      'expected rows of 2 values, got 3',
    );
  });
});
