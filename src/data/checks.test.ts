import { describe, expect, it } from 'vitest';
import { checkFinite, checkLabels } from './checks.ts';
import { labelsFromArray } from './labels.ts';
import type { StoredArray } from './stored-array.ts';

describe('checking labels', () => {
  it('names the first label outside the classes', () => {
    checkLabels(Int32Array.of(0, 9), 10);
    for (const [labels, at] of [
      [[0, 10, -1], 'got 10 at sample 1'],
      [[0, 1, -1], 'got -1 at sample 2'],
    ] as const) {
      expect(() => checkLabels(Int32Array.from(labels), 10)).toThrow(
        expect.objectContaining({ code: 'data/label-range', message: expect.stringContaining(at) }),
      );
    }
  });

  it('refuses regression targets', () => {
    expect(() => checkLabels(Float32Array.of(1), 2)).toThrow(
      expect.objectContaining({ code: 'data/mismatch' }),
    );
  });
});

describe('checking finiteness', () => {
  it('passes finite numbers and names sample and position otherwise', () => {
    checkFinite([1, 2, 3, 4], 2, (i) => i, 'x');
    expect(() => checkFinite([1, 2, 3, Number.NaN], 2, (i) => 40 + i, 'x')).toThrow(
      'x: expected finite numbers, got NaN or infinity in sample 41 at position 1',
    );
  });
});

describe('reading labels', () => {
  const array = (data: Int32Array | Float32Array | BigInt64Array, shape: number[]): StoredArray => ({
    type: data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'int64',
    shape,
    read: async () => data,
    close: async () => {},
  });

  it('takes [n], [n, 1] and one-hot [n, k]', async () => {
    expect((await labelsFromArray(array(Int32Array.of(2, 0), [2]), 2, 'auto', 'y')).labels).toEqual(
      Int32Array.of(2, 0),
    );
    expect((await labelsFromArray(array(Int32Array.of(2, 0), [2, 1]), 2, 'auto', 'y')).labels).toEqual(
      Int32Array.of(2, 0),
    );
    const hot = await labelsFromArray(array(Float32Array.of(0, 0, 1, 1, 0, 0), [2, 3]), 2, 'auto', 'y');
    expect([hot.labels, hot.note]).toEqual([
      Int32Array.of(2, 0),
      'one-hot labels of 3 classes turned into class numbers',
    ]);
  });

  it('takes floats as regression targets unless they are said to be classes', async () => {
    expect((await labelsFromArray(array(Float32Array.of(2, 0.5), [2]), 2, 'auto', 'y')).labels).toEqual(
      Float32Array.of(2, 0.5),
    );
    expect(
      (await labelsFromArray(array(Float32Array.of(2, 0), [2]), 2, 'classification', 'y')).labels,
    ).toEqual(Int32Array.of(2, 0));
  });

  it.each([
    ['another count', Int32Array.of(1, 2), [2], 3, 'data/mismatch'],
    ['rows that are not one-hot', Float32Array.of(0, 0, 1, 1), [2, 2], 2, 'data/mismatch'],
    ['too many axes', Int32Array.of(1, 2), [2, 1, 1], 2, 'data/mismatch'],
    ['a number beyond 32 bits', BigInt64Array.of(2n ** 40n), [1], 1, 'data/label-range'],
    ['NaN', Float32Array.of(Number.NaN), [1], 1, 'data/not-finite'],
  ] as const)('refuses %s', async (_, data, shape, n, code) => {
    await expect(labelsFromArray(array(data, [...shape]), n, 'auto', 'y')).rejects.toMatchObject({ code });
  });
});
