import { describe, expect, it } from 'vitest';
import { type Rng, randomFrom } from '../../core/random.ts';
import type { Ball } from '../norm.ts';
import { holdsContract, projected, violated } from './contract.fixture.ts';
import { series } from './series.ts';
import type { SeriesColumn, SeriesSchema } from './series-schema.ts';

const WIDE: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const linf = (eps: number): Ball => ({ norm: 'linf', eps, bounds: WIDE });
const STEPS = 12;

/** Open, high, low, close and volume of a random walk in cents, `[STEPS, 5]`. */
function bars(rng: Rng): number[] {
  let last = 100;
  return Array.from({ length: STEPS }, () => {
    const cents = (v: number) => Math.max(1, Math.round(v * 100)) / 100;
    const open = last;
    last = cents(open * (1 + 0.02 * rng.normal()));
    const high = cents(Math.max(open, last) + (rng.uniform() < 0.3 ? 0 : rng.uniform()));
    const low = cents(Math.min(open, last) - (rng.uniform() < 0.3 ? 0 : rng.uniform()));
    return [open, high, low, last, rng.integer(1000)];
  }).flat();
}

/** `[steps, columns]` to `[columns, steps]`. */
function transposed(values: readonly number[], columns: number): number[] {
  const steps = values.length / columns;
  return Array.from(
    { length: values.length },
    (_, i) => values[(i % steps) * columns + Math.floor(i / steps)]!,
  );
}

const PRICE: SeriesColumn = { positive: true, maxRelativeChange: 0.02, maxReturn: 0.05 };
const CANDLES: SeriesSchema = {
  layout: 'time-first',
  columns: [
    { name: 'open', ...PRICE },
    { name: 'high', ...PRICE },
    { name: 'low', ...PRICE },
    { name: 'close', ...PRICE, maxJump: 3 },
    { name: 'volume', min: 0 },
  ],
  last: 5,
  candles: [{ open: 0, high: 1, low: 2, close: 3 }],
};
const rows = (seed: number) => Float32Array.from(bars(randomFrom(seed, 'bars')));
const EPS = { linf: 2, l2: 5, l1: 10, l0: 7 };

describe('series', () => {
  it('holds what constraints promise: candles, returns and jumps in the last points', () => {
    expect(holdsContract({ constraint: series(CANDLES, [STEPS, 5]), clean: rows, eps: EPS })).toBeGreaterThan(
      0.95,
    );
  });

  it('holds what constraints promise: in ticks, few points, columns first', () => {
    const schema: SeriesSchema = {
      ...CANDLES,
      layout: 'columns-first',
      columns: CANDLES.columns.map((column, i) => ({ ...column, step: i < 4 ? 0.01 : 1 })),
      maxPoints: 3,
    };
    const clean = (seed: number) => Float32Array.from(transposed([...rows(seed)], 5));
    expect(holdsContract({ constraint: series(schema, [5, STEPS]), clean, eps: EPS })).toBeGreaterThan(0.9);
  });

  it('holds what constraints promise: standardised values of different scales', () => {
    const scales = [
      [100, 5],
      [101, 5],
      [99, 4],
      [100, 5],
      [500, 300],
    ] as const;
    const columns = CANDLES.columns.map((column, i) => ({
      ...column,
      mean: scales[i]![0],
      std: scales[i]![1],
    }));
    const clean = (seed: number) => rows(seed).map((v, i) => (v - scales[i % 5]![0]) / scales[i % 5]![1]);
    const eps = { linf: 0.5, l2: 1, l1: 3, l0: 7 };
    expect(
      holdsContract({ constraint: series({ ...CANDLES, columns }, [STEPS, 5]), clean, eps }),
    ).toBeGreaterThan(0.9);
  });

  it('holds what constraints promise: a stale feed', () => {
    const schema: SeriesSchema = {
      layout: 'time-first',
      columns: [
        ...CANDLES.columns.slice(0, 4).map(({ name }) => ({ name, maxReturn: 0.2, positive: true })),
        { name: 'volume' },
      ],
      maxPoints: 4,
      stale: { maxDelay: 3, feeds: [[0, 1, 2, 3], [4]] },
    };
    const eps = { linf: 400, l2: 600, l1: 900, l0: 15 };
    expect(holdsContract({ constraint: series(schema, [STEPS, 5]), clean: rows, eps })).toBeGreaterThan(0.7);
  });

  const line =
    (column: SeriesColumn, more: Partial<SeriesSchema> = {}) =>
    (steps: number) =>
      series({ layout: 'time-first', columns: [{ name: 'a', ...column }], ...more }, [steps, 1]);

  it.each([
    ['the last steps', line({}, { last: 2 }), [9, 9, 9, 9], [1, 2, 3, 4], [1, 2, 9, 9]],
    ['a largest change', line({ maxChange: 0.5 }), [9, 0, 3, 4], [1, 2, 3, 4], [1.5, 1.5, 3, 4]],
    ['a largest share', line({ maxRelativeChange: 0.25 }), [9, 9, 0, 4], [1, 2, 4, 4], [1.25, 2.5, 3, 4]],
    ['few points', line({}, { maxPoints: 2 }), [3, 9, 4, 4], [1, 2, 3, 4], [3, 9, 3, 4]],
    ['a jump', line({ maxJump: 1 }), [0, 4], [0, 0], [1.5, 2.5]],
    ['a jump that the series has', line({ maxJump: 1 }), [0, 9], [0, 4], [2.5, 6.5]],
    ['a return', line({ maxReturn: 1, positive: true, immutable: true }), [1, 1], [1, 1], [1, 1]],
    ['a return', line({ maxReturn: 1, positive: true }, { last: 1 }), [1, 5], [1, 1], [1, 2]],
    ['a return', line({ maxReturn: 0.5, positive: true }, { last: 1 }), [1, 0.1], [1, 1], [1, 0.5]],
    [
      'a return that the series has',
      line({ maxReturn: 0.5, positive: true }, { last: 1 }),
      [1, 9],
      [1, 3],
      [1, 3],
    ],
  ] as const)('moves to the nearest row with %s', (_, constraint, wish, clean, expected) => {
    const close = expected.map((v) => expect.closeTo(v, 5));
    expect(projected(constraint(wish.length), wish, clean, linf(9))).toEqual(close);
  });

  const candle = series(
    {
      layout: 'time-first',
      columns: ['open', 'high', 'low', 'close'].map((name) => ({ name })),
      candles: [{ open: 0, high: 1, low: 2, close: 3 }],
    },
    [1, 4],
  );
  it('keeps a candle’s body between its ends, exactly', () => {
    expect(projected(candle, [6, 4, 5, 5], [5, 5, 5, 5], linf(9)).slice(0, 2)).toEqual(
      [5, 5].map((v) => expect.closeTo(v, 5)),
    );
    for (let seed = 0; seed < 200; seed++) {
      const rng = randomFrom(seed, 'candle');
      const [o, h, l, c] = projected(
        candle,
        [0, 0, 0, 0].map(() => 5 + rng.normal()),
        [5, 5, 5, 5],
        linf(0.7),
      );
      expect(l).toBeLessThanOrEqual(Math.min(o!, c!));
      expect(h).toBeGreaterThanOrEqual(Math.max(o!, c!));
    }
    expect(violated(candle, [5, 5, 5.000001, 5], [5, 5, 5, 5])).toBe(
      'low is above open: the candle does not hold',
    );
  });

  it('lets a candle that the data have broken be broken as far', () => {
    expect(violated(candle, [5, 5, 6, 7], [5, 5, 6, 7])).toBeUndefined();
    expect(violated(candle, [5, 5, 7, 7], [5, 5, 6, 7])).toBe('low is above open: the candle does not hold');
  });

  it('replaces points by earlier ones of the same feed', () => {
    const schema: SeriesSchema = {
      layout: 'time-first',
      columns: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
      stale: { maxDelay: 2, feeds: [[0, 1]] },
    };
    const constraint = series(schema, [4, 3]);
    const clean = [1, 10, 0, 2, 20, 0, 3, 30, 0, 4, 40, 0];
    const wish = [9, 9, 9, 1, 12, 9, 3, 29, 9, 0, 0, 9];
    expect(projected(constraint, wish, clean, linf(99))).toEqual([1, 10, 0, 1, 10, 0, 3, 30, 0, 2, 20, 0]);
    const near = projected(constraint, wish, clean, linf(15));
    expect(near).toEqual([1, 10, 0, 1, 10, 0, 3, 30, 0, 3, 30, 0]);
    expect(violated(constraint, [1, 10, 0, 2, 20, 0, 3, 30, 0, 1, 10, 0], clean)).toBe(
      'a point is none of the last 2 before it',
    );
    expect(violated(constraint, [1, 10, 0, 2, 10, 0, 3, 30, 0, 4, 40, 0], clean)).toBe(
      'a point is none of the last 2 before it',
    );
    expect(violated(constraint, [1, 10, 5, ...clean.slice(3)], clean)).toBe(
      'step 0: c changed, which is in no feed',
    );
    const few = series({ ...schema, maxPoints: 1 }, [4, 3]);
    expect(projected(few, wish, clean, linf(99))).toEqual([1, 10, 0, 2, 20, 0, 3, 30, 0, 2, 20, 0]);
  });

  it.each([
    [{ last: 2 }, [1, 3, 3, 4], 'step 1 changed, before the last 2'],
    [{ maxPoints: 1 }, [2, 3, 3, 4], '2 steps changed, more than 1'],
    [
      { columns: [{ name: 'a', maxJump: 1.5 }] },
      [1, 3, 3, 4],
      'a jumps by more than 1.5: the bound does not hold',
    ],
    [
      { columns: [{ name: 'a', maxReturn: 0.25, positive: true }] },
      [1, 2, 3, 5],
      'a moves by more than 25 %: the bound does not hold',
    ],
    [{ columns: [{ name: 'a', positive: true }] }, [1, -2, 3, 4], 'step 1: a is not above 0'],
  ] as const)('says of %j what is wrong', (more, row, message) => {
    const schema: SeriesSchema = { layout: 'time-first', columns: [{ name: 'a' }], ...more };
    expect(violated(series(schema, [4]), row, [1, 2, 3, 4])).toBe(message);
  });

  it.each([
    [{}, [4, 2], /expected samples \[steps, 3\], as its 3 columns and layout time-first say, got \[4, 2\]/],
    [{}, [3, 4], /expected samples \[steps, 3\]/],
    [{ layout: 'columns-first' }, [4, 3], /expected samples \[3, steps\]/],
    [{ columns: [] }, [4, 3], /expected samples/],
    [{ last: 0 }, [4, 3], /expected last to be a whole number of at least 1, got 0/],
    [{ maxPoints: 1.5 }, [4, 3], /expected maxPoints to be a whole number/],
    [{ stale: { maxDelay: 0 } }, [4, 3], /expected stale.maxDelay to be/],
    [
      { stale: { maxDelay: 1, feeds: [[0, 3]] } },
      [4, 3],
      /stale.feeds: expected column numbers below 3, got 3/,
    ],
    [{ stale: { maxDelay: 1, feeds: [[0, 1], [1]] } }, [4, 3], /column 1 twice/],
    [{ candles: [{ open: 0, high: 1, low: 2, close: 0 }] }, [4, 3], /candles: expected each column once/],
    [{ columns: [{}, {}, { maxReturn: 0.1 }] }, [4, 3], /column 2: expected positive with maxReturn/],
    [{ columns: [{}, {}, { name: 'z', maxJump: -1 }] }, [4, 3], /z: expected maxJump of at least 0/],
  ] as const)('refuses %j for samples %j', (more, shape, message) => {
    const schema = { layout: 'time-first', columns: [{}, {}, {}], ...more } as SeriesSchema;
    expect(() => series(schema, shape)).toThrow(message);
  });

  it.each([[[6, 2]], [[1, 6, 2]], [[12]]])('takes samples of shape %j', (shape) => {
    const schema: SeriesSchema = { layout: 'time-first', columns: [{}, {}] };
    expect(series(schema, shape).title).toBe('a believable series (6 steps)');
  });
});
