import { describe, expect, test } from 'vitest';
import { planSketch } from './sketch-plan.ts';

const sketched = (dims: readonly number[], x: ArrayLike<number>, offset = 0, datatype?: string) => {
  const plan = planSketch({ sampleDims: dims, datatype });
  const out = new Float32Array(plan.features.length + 1).fill(-9);
  plan.read(x, offset, out, 1);
  expect(out[0]).toBe(-9);
  return { plan, row: out.subarray(1) };
};

describe('sketches', () => {
  test('a table stays as it is, with the names of its columns', () => {
    const plan = planSketch({ sampleDims: [3], names: ['age', 'sex'] });
    expect(plan.features).toEqual(['age', 'sex', 'feature 2']);
    expect([...sketched([3], [9, 1, Number.NaN, 3], 1).row]).toEqual([1, Number.NaN, 3]);
  });

  test.each([
    [[28, 28], 1],
    [[1, 28, 28], 1],
    [[28, 28, 1], 1],
    [[3, 32, 32], 3],
    [[32, 40, 3], 3],
    [[1, 1, 16, 16], 1],
    [[3, 224, 224], 3],
  ])('a flat picture of sizes %j has flat cells and no gradient', (dims, channels) => {
    const size = dims.reduce((n, d) => n * d, 1);
    const { plan, row } = sketched(dims, new Float32Array(size + 4).fill(0.5), 4);
    expect(plan).toMatchObject({ kind: 'picture', cells: 64 * channels, size });
    for (const value of row.subarray(0, plan.cells + 1)) expect(value).toBeCloseTo(0.5, 6);
    expect(row[plan.cells + 1]).toBeCloseTo(0, 6);
    expect(row[plan.cells + 2]).toBeCloseTo(0, 6);
    expect(plan.picture(row)).toMatchObject({ width: 8, height: 8, channels });
  });

  test('every pixel of a digit is in a cell', () => {
    for (let pixel = 0; pixel < 784; pixel += 5) {
      const x = new Float32Array(784);
      x[pixel] = 1;
      const { plan, row } = sketched([1, 28, 28], x);
      const found = [...row.subarray(0, 64)].flatMap((value, cell) => (value > 0 ? [cell] : []));
      const place = (at: number) => Math.floor(((at + 1) * 8 - 1) / 28);
      expect(found).toEqual([8 * place(Math.floor(pixel / 28)) + place(pixel % 28)]);
      expect(row[plan.cells]).toBeCloseTo(1 / 784, 6);
    }
  });

  test('channels first and last give the same row', () => {
    const first = Float32Array.from({ length: 3 * 16 * 16 }, (_, i) => Math.sin(i));
    const last = new Float32Array(first.length);
    for (let c = 0; c < 3; c++) for (let i = 0; i < 256; i++) last[3 * i + c] = first[256 * c + i]!;
    expect([...sketched([16, 16, 3], last).row]).toEqual([...sketched([3, 16, 16], first).row]);
  });

  test('bytes become 0 to 1, and noise shows in the gradient', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => (i % 2 ? 255 : 0));
    const { row } = sketched([16, 16], bytes, 0, 'UINT8');
    expect(row[64]).toBeCloseTo(0.5, 6);
    expect(row[66]).toBeCloseTo(1, 6);
  });

  test('anything else is 64 runs', () => {
    const { plan, row } = sketched(
      [1000],
      Float32Array.from({ length: 1000 }, (_, i) => i),
    );
    expect(plan).toMatchObject({ kind: 'cells', cells: 64 });
    for (let i = 1; i < 64; i++) expect(row[i]).toBeGreaterThan(row[i - 1]!);
    expect(plan.picture(row)).toBeUndefined();
  });

  test('a picture that is no number is shown all the same', () => {
    const plan = planSketch({ sampleDims: [8, 16] });
    const row = new Float32Array(plan.features.length).fill(Number.NaN);
    row[0] = Number.POSITIVE_INFINITY;
    expect(plan.picture(row)!.values.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  test.each([[[0]], [[2.5, 8]], [[2 ** 20, 2 ** 20]]])('sizes %j are refused', (dims) => {
    expect(() => planSketch({ sampleDims: dims })).toThrow(
      expect.objectContaining({ code: 'option/invalid' }),
    );
  });
});
