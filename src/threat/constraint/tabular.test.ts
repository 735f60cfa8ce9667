import { describe, expect, it } from 'vitest';
import { type Rng, randomFrom } from '../../core/random.ts';
import type { Ball } from '../norm.ts';
import { holdsContract, projected, violated } from './contract.fixture.ts';
import type { TableColumn, TableSchema } from './table-schema.ts';
import { tabular } from './tabular.ts';

const WIDE: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const linf = (eps: number): Ball => ({ norm: 'linf', eps, bounds: WIDE });

/** Columns of a credit application, in the owner's units, and random rows of it. */
const CREDIT: TableSchema = {
  columns: [
    { name: 'age', type: 'integer', min: 18, max: 99, direction: 'up' },
    { name: 'income', min: 0, step: 0.01, maxChange: 400 },
    { name: 'tax', min: 0, step: 0.01 },
    { name: 'net', step: 0.01 },
    { name: 'sex', type: 'boolean', immutable: true },
    { name: 'renter', type: 'boolean' },
    { name: 'rate', min: 0, max: 1, maxRelativeChange: 0.5 },
    { name: 'job: none' },
    { name: 'job: worker' },
    { name: 'job: clerk' },
    { name: 'debt', min: 0, direction: 'down', cost: 0.001 },
  ],
  oneHot: [[7, 8, 9]],
  relations: [
    {
      terms: [
        [1, 1],
        [2, -1],
        [3, -1],
      ],
      equals: 0,
    },
    {
      terms: [
        [10, 1],
        [1, -3],
      ],
      atMost: 0,
    },
  ],
  maxCost: 2,
};

function credit(rng: Rng): number[] {
  const income = 1000 + rng.integer(300000) / 100;
  const tax = Math.round(income * 20) / 100;
  const job = rng.integer(3);
  return [
    18 + rng.integer(80),
    income,
    tax,
    income - tax,
    rng.integer(2),
    rng.integer(2),
    rng.uniform(),
    ...[0, 1, 2].map((i) => (i === job ? 1 : 0)),
    rng.uniform() * 2500,
  ];
}

/** The schema as a model sees it that takes standardised values, and a row of it. */
const MEANS = [45, 2500, 500, 2000, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 1000];
const STDS = [15, 900, 180, 720, 0.5, 0.5, 0.3, 0.45, 0.47, 0.46, 700];
const STANDARDISED: TableSchema = {
  ...CREDIT,
  columns: CREDIT.columns.map((column, i) => ({ ...column, mean: MEANS[i]!, std: STDS[i]! })),
};

describe('tabular', () => {
  it('holds what constraints promise, in the owner’s units', () => {
    const moved = holdsContract({
      constraint: tabular(CREDIT),
      clean: (seed) => Float32Array.from(credit(randomFrom(seed, 'credit'))),
      eps: { linf: 300, l2: 500, l1: 800, l0: 5 },
    });
    expect(moved).toBeGreaterThan(0.9);
  });

  it('holds what constraints promise, on standardised values', () => {
    const moved = holdsContract({
      constraint: tabular(STANDARDISED),
      clean: (seed) =>
        Float32Array.from(credit(randomFrom(seed, 'credit')), (v, i) => (v - MEANS[i]!) / STDS[i]!),
      eps: { linf: 2.5, l2: 4, l1: 6, l0: 5 },
    });
    expect(moved).toBeGreaterThan(0.9);
  });

  const one = (column: TableColumn) => tabular({ columns: [column] });
  it.each([
    ['a range', { min: 0, max: 10 }, 5, 12, 10],
    ['a range below', { min: 0.1, max: 10 }, 5, -3, Math.fround(0.1)],
    ['whole numbers', { type: 'integer' }, 5, 6.6, 7],
    ['whole numbers', { type: 'integer' }, 5, 5.4, 5],
    ['cents', { step: 0.01 }, 5, 5.1234, Math.fround(5.12)],
    ['steps of standardised values', { step: 10, mean: 100, std: 50 }, 0, 0.31, Math.fround(0.4)],
    ['a boolean', { type: 'boolean' }, 0, 0.7, 1],
    ['a boolean', { type: 'boolean' }, 0, 0.3, 0],
    ['a fixed column', { immutable: true }, 5, 6, 5],
    ['growth only', { direction: 'up' }, 5, 4, 5],
    ['growth only', { direction: 'up' }, 5, 6, 6],
    ['shrinkage only', { direction: 'down' }, 5, 6, 5],
    ['a largest change', { maxChange: 2 }, 5, 9, 7],
    ['a largest change, standardised', { maxChange: 2, mean: 7, std: 4 }, 1, 3, 1.5],
    ['a largest share', { maxRelativeChange: 0.1 }, 5, 9, 5.5],
    ['a positive column', { positive: true }, 1, -1, 2 ** -126],
  ] as const)(
    'moves to the nearest value of %s (%j): %d and %d give %d',
    (_, column, clean, wish, expected) => {
      expect(projected(one(column), [wish], [clean], linf(9))).toEqual([expected]);
    },
  );

  it.each([
    [{ type: 'integer' }, 1.5, 1, 'a is not a whole number'],
    [{ step: 0.01 }, 1.005, 1, 'a is not a multiple of 0.01'],
    [{ min: 2 }, 1, 3, 'a is below 2'],
    [{ max: 2 }, 3, 1, 'a is above 2'],
    [{ positive: true }, 0, 1, 'a is not above 0'],
    [{ immutable: true }, 3, 1, 'a changed, which is immutable'],
    [{ direction: 'up' }, 0, 1, 'a shrank, which may only grow'],
    [{ direction: 'down' }, 2, 1, 'a grew, which may only shrink'],
    [{ maxChange: 1 }, 4, 1, 'a changed by more than 1'],
    [{ maxChange: 3, maxRelativeChange: 0.1 }, 4, 1, 'a changed by more than 3 or 10 %'],
    [{ type: 'boolean' }, Number.NaN, 1, 'a value is not a finite number'],
  ] as const)('says of %j what is wrong with %d after %d', (column, value, clean, message) => {
    expect(violated(one({ ...column, name: 'a' }), [value], [clean])).toBe(message);
  });

  it('moves a one-hot group to its greatest column where the ball has room', () => {
    const group = tabular({ columns: [{}, {}, {}, { name: 'x' }], oneHot: [[0, 1, 2]] });
    const wish = [0.2, 0.7, 0.6, 5];
    const clean = [1, 0, 0, 4];
    expect(projected(group, wish, clean, linf(1))).toEqual([0, 1, 0, 5]);
    expect(projected(group, wish, clean, linf(0.9))).toEqual([1, 0, 0, expect.closeTo(4.9, 5)]);
    expect(projected(group, wish, clean, { norm: 'l2', eps: 1.4, bounds: WIDE })).toEqual([1, 0, 0, 5]);
    expect(projected(group, wish, clean, { norm: 'l2', eps: 1.5, bounds: WIDE })).toEqual([0, 1, 0, 4.5]);
    expect(projected(group, wish, clean, { norm: 'l1', eps: 2.25, bounds: WIDE })).toEqual([0, 1, 0, 4.25]);
    expect(projected(group, wish, clean, { norm: 'l0', eps: 2, bounds: WIDE })).toEqual([0, 1, 0, 4]);
    expect(projected(group, wish, clean, { norm: 'l0', eps: 1, bounds: WIDE })).toEqual([1, 0, 0, 5]);
    expect(violated(group, [1, 1, 0, 4], clean)).toBe(
      '2 of the one-hot group column 0, column 1, column 2 are 1',
    );
    expect(violated(group, [0, 0, 0, 4], clean)).toBe(
      '0 of the one-hot group column 0, column 1, column 2 are 1',
    );
  });

  it('leaves out columns of a group that may not become 1', () => {
    const group = tabular({ columns: [{}, { immutable: true }, { direction: 'up' }], oneHot: [[0, 1, 2]] });
    expect(projected(group, [0, 9, 0.5], [1, 0, 0], linf(1))).toEqual([0, 0, 1]);
    expect(projected(group, [9, 0, 0], [0, 0, 1], linf(1))).toEqual([0, 0, 1]);
  });

  it('takes the nearest point of a linear relation', () => {
    const sum = tabular({
      columns: [{}, {}],
      relations: [
        {
          terms: [
            [0, 1],
            [1, 1],
          ],
          equals: 4,
        },
      ],
    });
    expect(projected(sum, [3, 4], [2, 2], linf(9))).toEqual([1.5, 2.5]);
    const most = tabular({
      columns: [{}, { max: 3 }],
      relations: [
        {
          terms: [
            [0, 1],
            [1, 1],
          ],
          atMost: 4,
        },
      ],
    });
    expect(projected(most, [3, 4], [2, 2], linf(9))).toEqual([1.5, 2.5]);
    expect(projected(most, [-9, 4], [2, 2], linf(9))).toEqual([-7, 3]);
    const less = tabular({
      columns: [{}, {}],
      relations: [
        {
          terms: [
            [0, 2],
            [1, -1],
          ],
          atLeast: 0,
          atMost: 1,
        },
      ],
    });
    expect(projected(less, [0, 5], [1, 2], linf(9))).toEqual([2, 4]);
  });

  it('mends a relation of whole numbers by whole steps', () => {
    const total = tabular({
      columns: [{ type: 'integer' }, { type: 'integer' }, { type: 'integer', immutable: true }],
      relations: [
        {
          terms: [
            [0, 1],
            [1, 1],
            [2, -1],
          ],
          equals: 0,
        },
      ],
    });
    const got = projected(total, [4.4, 5.4, 10], [5, 5, 10], linf(9));
    expect(got).toEqual([4, 6, 10]);
  });

  it('lets an example miss a relation as far as its clean row, unless a tolerance is given', () => {
    const relation = {
      terms: [
        [0, 1],
        [1, 1],
      ],
      equals: 4,
    } as const;
    const loose = tabular({ columns: [{}, {}], relations: [relation] });
    expect(violated(loose, [2, 2.5], [2, 2.5])).toBeUndefined();
    expect(violated(loose, [2, 2.4], [2, 2.5])).toBeUndefined();
    expect(violated(loose, [2, 2.6], [2, 2.5])).toBe('relation 1 (column 0, column 1) does not hold');
    expect(violated(loose, [2, 1.9], [2, 2.5])).toBe('relation 1 (column 0, column 1) does not hold');
    const strict = tabular({ columns: [{}, {}], relations: [{ ...relation, tolerance: 0.1 }] });
    expect(violated(strict, [2, 2.5], [2, 2.5])).toBe('relation 1 (column 0, column 1) does not hold');
    expect(violated(strict, [2, 2.09], [2, 2])).toBeUndefined();
  });

  it('spends no more than the budget, first where it is cheap', () => {
    const table = tabular({ columns: [{ cost: 1 }, { cost: 3 }, {}], maxCost: 2 });
    expect(projected(table, [3, 1, 50], [0, 0, 0], linf(99))).toEqual(
      [2, 0, 50].map((v) => expect.closeTo(v, 5)),
    );
    expect(violated(table, [2.1, 0, 50], [0, 0, 0])).toBe('the changes cost more than maxCost');
  });

  it.each([
    [{ columns: [{ min: 2, max: 1 }] }, /column 0: expected min up to max/],
    [{ columns: [{ step: 0 }] }, /expected step above 0/],
    [{ columns: [{ std: -1 }] }, /expected std above 0/],
    [{ columns: [{ maxChange: Number.NaN }] }, /expected maxChange of at least 0/],
    [{ columns: [{ mean: Number.POSITIVE_INFINITY }] }, /expected finite numbers/],
    [{ columns: [{ positive: true, max: 0 }] }, /expected a max above 0/],
    [{ columns: [{ immutable: true, direction: 'up' }] }, /expected immutable alone/],
    [{ columns: [{ name: 'n', type: 'integer', step: 2 }] }, /n: expected type integer without a step/],
    [{ columns: [{ type: 'boolean', max: 2 }] }, /expected type boolean without a range/],
    [
      { columns: [{}, { type: 'real' }], oneHot: [[0, 1]] },
      /expected boolean columns in a one-hot group, got real/,
    ],
    [{ columns: [{}], oneHot: [[0]] }, /expected groups of at least two columns/],
    [{ columns: [{}, {}], oneHot: [[0, 2]] }, /expected column numbers below 2, got 2/],
    [
      {
        columns: [{}, {}, {}],
        oneHot: [
          [0, 1],
          [1, 2],
        ],
      },
      /each column once, got column 1 twice/,
    ],
    [
      { columns: [{}], relations: [{ terms: [[1, 1]], equals: 0 }] },
      /relation 1: expected columns of the table/,
    ],
    [{ columns: [{}], relations: [{ terms: [[0, 0]], equals: 0 }] }, /finite factors other than 0/],
    [
      {
        columns: [{}],
        relations: [
          {
            terms: [
              [0, 1],
              [0, 2],
            ],
            equals: 0,
          },
        ],
      },
      /each of its columns once/,
    ],
    [{ columns: [{}], relations: [{ terms: [[0, 1]] }] }, /expected equals, or atLeast and atMost/],
    [{ columns: [{}], relations: [{ terms: [[0, 1]], equals: 0, atMost: 1 }] }, /expected equals, or/],
    [{ columns: [{}], relations: [{ terms: [[0, 1]], atLeast: 2, atMost: 1 }] }, /atLeast up to atMost/],
    [{ columns: [{}], relations: [{ terms: [[0, 1]], equals: Number.NaN }] }, /atLeast up to atMost/],
    [
      { columns: [{}], relations: [{ terms: [[0, 1]], equals: 1, tolerance: -1 }] },
      /a tolerance of at least 0/,
    ],
    [{ columns: [{ cost: -1 }], maxCost: 1 }, /costs and maxCost of at least 0/],
    [{ columns: [{}], maxCost: Number.NaN }, /costs and maxCost of at least 0/],
  ] as const)('refuses the schema %j', (schema, message) => {
    expect(() => tabular(schema as TableSchema)).toThrow(message);
  });
});
