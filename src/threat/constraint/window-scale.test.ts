import { describe, expect, it } from 'vitest';
import { type Rng, randomFrom } from '../../core/random.ts';
import type { Ball } from '../norm.ts';
import { holdsContract, projected, violated } from './contract.fixture.ts';
import { rowConstraintFrom } from './from-file.ts';
import { series } from './series.ts';
import type { SeriesColumn, SeriesSchema } from './series-schema.ts';

const linf = (eps: number): Ball => ({ norm: 'linf', eps, bounds: [-Infinity, Infinity] });
const STEPS = 10;
const WINDOW = { meanColumn: 4, stdColumn: 5 };
const PRICE: SeriesColumn = { positive: true, maxReturn: 0.1, ...WINDOW };
const SCHEMA: SeriesSchema = {
  layout: 'time-first',
  columns: [
    { name: 'open', ...PRICE },
    { name: 'high', ...PRICE },
    { name: 'low', ...PRICE },
    { name: 'close', ...PRICE, step: 0.01, maxRelativeChange: 0.01 },
    { name: 'mean' },
    { name: 'std' },
  ],
  last: 4,
  candles: [{ open: 0, high: 1, low: 2, close: 3 }],
};

/** Prices of a random walk at a level of its own, as z-scores of their window, with the window's mean and deviation beside them. */
function window(rng: Rng): Float32Array {
  let last = [3, 40, 900][rng.integer(3)]!;
  const closes = Array.from({ length: STEPS }, () => {
    last *= 1 + 0.02 * rng.normal();
    last = Math.round(100 * last) / 100;
    return last;
  });
  const mean = Math.fround(closes.reduce((sum, v) => sum + v, 0) / STEPS);
  const std = Math.fround(Math.sqrt(closes.reduce((sum, v) => sum + (v - mean) ** 2, 0) / STEPS));
  const z = (v: number) => (v - mean) / std;
  return Float32Array.from(closes.flatMap((v) => [z(v), z(1.01 * v), z(0.99 * v), z(v), mean, std]));
}

describe('windows that were standardised each by itself', () => {
  it('hold what constraints promise', () => {
    const moved = holdsContract(
      {
        constraint: series(SCHEMA, [STEPS, 6]),
        clean: (seed) => window(randomFrom(seed, 'window')),
        eps: { linf: 2, l2: 3, l1: 5, l0: 7 },
      },
      80,
    );
    expect(moved).toBeGreaterThan(0.8);
  });

  const close: SeriesColumn = { name: 'close', maxRelativeChange: 0.1, meanColumn: 1, stdColumn: 2 };
  const one = series({ layout: 'time-first', columns: [close, { name: 'mean' }, { name: 'std' }] }, [1, 3]);

  it('are ruled in the units that their own mean and deviation say', () => {
    // 10 % of the price 100 + 0 · 5 are two deviations; of the price 1000 they are 20 at the same deviation.
    expect(projected(one, [9, 100, 5], [0, 100, 5], linf(50))).toEqual([2, 100, 5]);
    expect(projected(one, [90, 1000, 5], [0, 1000, 5], linf(50))).toEqual([20, 1000, 5]);
    expect(violated(one, [2.1, 100, 5], [0, 100, 5])).toBe('step 0: close changed by more than 10 %');
    expect(violated(one, [2.1, 1000, 5], [0, 1000, 5])).toBeUndefined();
  });

  it('keep their mean and deviation', () => {
    expect(projected(one, [1, 200, 6], [0, 100, 5], linf(50))).toEqual([1, 100, 5]);
    expect(violated(one, [0, 101, 5], [0, 100, 5])).toBe('step 0: mean changed, which is immutable');
    expect(one.free).toEqual(Uint8Array.of(1, 0, 0));
  });

  it('are refused where that is not one number, or no deviation', () => {
    const two = series(
      { layout: 'time-first', columns: [{ ...close }, { name: 'mean' }, { name: 'std' }] },
      [2, 3],
    );
    const why = (row: readonly number[]) => violated(two, row, row);
    expect(why([0, 100, 5, 1, 100, 5])).toBeUndefined();
    expect(why([0, 100, 5, 1, 101, 5])).toBe('mean is not one number for the whole window');
    expect(why([0, 100, 0, 1, 100, 0])).toBe('std is not above 0');
    expect(why([0, 100, -1, 1, 100, -1])).toBe('std is not above 0');
    expect(two.impossible?.(Float32Array.of(0, 100, 0, 1, 100, 0), 0, 6)).toBe('std is not above 0');
    expect(two.impossible?.(Float32Array.of(0, 100, 5, 1, 100, 5), 0, 6)).toBeUndefined();
  });

  it('may hold their mean in units of its own', () => {
    // The model sees the mean as (mean − 1000) / 100.
    const scaled = series(
      { layout: 'time-first', columns: [close, { name: 'mean', mean: 1000, std: 100 }, { name: 'std' }] },
      [1, 3],
    );
    expect(projected(scaled, [90, 0, 5], [0, 0, 5], linf(50))).toEqual([20, 0, 5]);
  });

  const file = (columns: string) =>
    rowConstraintFrom(
      `{"schema":"glacis.constraints/1","constraints":[{"type":"series","names":["close","mean","std"],"columns":[${columns}]}]}`,
      'c.json',
      { shape: [2, 3] },
    );

  it('are read from a file by the names of columns', () => {
    const read = file('{"column":"close","positive":true,"meanColumn":"mean","stdColumn":"std"}');
    expect(read.impossible?.(Float32Array.of(-1, 100, 5, -21, 100, 5), 0, 6)).toBe('close is not above 0');
    expect(read.impossible?.(Float32Array.of(-1, 100, 5, -19, 100, 5), 0, 6)).toBeUndefined();
  });

  it.each([
    ['{"column":"close","mean":1,"meanColumn":"mean"}', 'mean or meanColumn'],
    ['{"column":"close","std":1,"stdColumn":"std"}', 'std or stdColumn'],
    ['{"column":"close","meanColumn":"level"}', 'the name of a column'],
    ['{"column":"close","stdColumn":"std"},{"column":"std","meanColumn":"mean"}', 'no scale of its own'],
    ['{"column":"close","stdColumn":"std"},{"column":"std","direction":"up"}', 'immutable alone'],
  ])('refuse %s', (columns, words) => {
    expect(() => file(columns)).toThrow(
      expect.objectContaining({ code: 'option/invalid', message: expect.stringContaining(words) }),
    );
  });
});
