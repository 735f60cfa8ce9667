import { describe, expect, test } from 'vitest';
import { cellsOf } from './cells.ts';

const read = (dims: readonly number[], x: Float32Array, scale?: ArrayLike<number>) => {
  const cells = cellsOf(dims, scale);
  const out = new Float32Array(cells.count);
  cells.read(x, 0, out);
  return out;
};

describe('cells', () => {
  test('up to 64 elements are themselves, in units of their own', () => {
    expect(read([3], Float32Array.of(1, 2, 3), [1, 2, 10])).toEqual(Float32Array.of(1, 1, Math.fround(0.3)));
  });

  test('pictures are means of 8 by 8 places, over all channels', () => {
    const x = new Float32Array(3 * 16 * 16).fill(0.25);
    const out = read([3, 16, 16], x);
    expect(out.length).toBe(64);
    for (const v of out) expect(v).toBeCloseTo(0.25, 6);
  });

  test('a change in one place changes one cell', () => {
    const x = new Float32Array(28 * 28);
    x[27 * 28 + 27] = 1;
    const out = read([1, 28, 28], x);
    expect([...out].filter((v) => v !== 0).length).toBe(1);
    expect(out.at(-1)).toBeGreaterThan(0);
  });

  test.each([[[1, 28, 28]], [[3, 224, 224]], [[1000]], [[500, 3]], [[2, 1, 300]], [[1, 1, 1]]])(
    'no more than 64 of %j, every element in one, whatever is before the sample',
    (dims) => {
      const size = dims.reduce((n, d) => n * d, 1);
      const cells = cellsOf(dims);
      expect(cells.count).toBeLessThanOrEqual(64);
      const x = new Float32Array(size + 5).fill(2);
      x.fill(9, 0, 5);
      const out = new Float32Array(cells.count);
      cells.read(x, 5, out);
      for (const v of out) expect(v).toBeCloseTo(2, 4);
    },
  );
});
