import { describe, expect, it } from 'vitest';
import { type Rng, randomFrom } from '../../core/random.ts';
import type { Ball } from '../norm.ts';
import { holdsContract, projected, violated } from './contract.fixture.ts';
import { rowConstraintFrom } from './from-file.ts';
import type { TableSchema } from './table-schema.ts';
import { tabular } from './tabular.ts';

const WIDE: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const linf = (eps: number): Ball => ({ norm: 'linf', eps, bounds: WIDE });

/** An order: price × quantity = net, net × rate = tax, net + tax = total. */
const ORDER: TableSchema = {
  columns: [
    { name: 'price', min: 0.01, step: 0.01 },
    { name: 'quantity', type: 'integer', min: 1, max: 99 },
    { name: 'net', min: 0, step: 0.01 },
    { name: 'rate', min: 0, max: 0.3, immutable: true },
    { name: 'tax', min: 0, step: 0.01 },
    { name: 'total', min: 0, step: 0.01 },
  ],
  products: [
    { of: [0, 1], equals: 2 },
    { of: [2, 3], equals: 4, tolerance: 0.00501 },
  ],
  relations: [
    {
      terms: [
        [2, 1],
        [4, 1],
        [5, -1],
      ],
      equals: 0,
    },
  ],
};

function order(rng: Rng): number[] {
  const price = (100 + rng.integer(5000)) / 100;
  const quantity = 1 + rng.integer(30);
  const net = Math.round(100 * price * quantity) / 100;
  const rate = [0.07, 0.19, 0.2][rng.integer(3)]!;
  const tax = Math.round(100 * net * rate) / 100;
  return [price, quantity, net, rate, tax, net + tax];
}

/** Numbers without steps: debt ratio × income = debt, as a model with standardised inputs sees them. */
const SCALES = [
  { mean: 0.4, std: 0.2 },
  { mean: 3000, std: 900 },
  { mean: 1200, std: 700 },
];
const RATIO: TableSchema = {
  columns: SCALES.map((scale, i) => ({ name: ['ratio', 'income', 'debt'][i]!, min: 0, ...scale })),
  products: [{ of: [0, 1], equals: 2 }],
};

describe('columns that are products of others', () => {
  it('hold what constraints promise, with steps and in a chain', () => {
    const moved = holdsContract(
      {
        constraint: tabular(ORDER),
        clean: (seed) => Float32Array.from(order(randomFrom(seed, 'order'))),
        eps: { linf: 60, l2: 120, l1: 200, l0: 5 },
      },
      80,
    );
    expect(moved).toBeGreaterThan(0.8);
  });

  it('hold what constraints promise, on standardised values', () => {
    const moved = holdsContract(
      {
        constraint: tabular(RATIO),
        clean: (seed) => {
          const rng = randomFrom(seed, 'ratio');
          const [ratio, income] = [rng.uniform(), 500 + 5000 * rng.uniform()];
          const values = [ratio, income, ratio * income];
          return Float32Array.from(values, (v, i) => (v - SCALES[i]!.mean) / SCALES[i]!.std);
        },
        eps: { linf: 1, l2: 1.5, l1: 2, l0: 3 },
      },
      80,
    );
    expect(moved).toBeGreaterThan(0.8);
  });

  const area = tabular({ columns: [{}, {}, {}], products: [{ of: [0, 1], equals: 2 }] });

  it('are found near what was wished, not only near the clean row', () => {
    // The nearest point of the surface a · b = c to (5, 4, 18) is searched on a fine grid.
    const wish = [5, 4, 18] as const;
    let nearest = Number.POSITIVE_INFINITY;
    for (let a = 4; a < 6; a += 0.01)
      for (let b = 3; b < 5; b += 0.01)
        nearest = Math.min(nearest, Math.hypot(a - wish[0], b - wish[1], a * b - wish[2]));
    const found = projected(area, wish, [2, 3, 6], linf(1000));
    expect(found[2]).toBeCloseTo(found[0]! * found[1]!, 4);
    expect(Math.hypot(...found.map((v, i) => v - wish[i]!))).toBeLessThan(1.1 * nearest);
  });

  it('let a factor follow where the product is fixed', () => {
    const fixed = tabular({
      columns: [{}, {}, { immutable: true }],
      products: [{ of: [0, 1], equals: 2 }],
    });
    const [a, b, c] = projected(fixed, [3, 3, 6], [2, 3, 6], linf(10)) as [number, number, number];
    expect(c).toBe(6);
    expect(a).toBeGreaterThan(2.1);
    expect(a * b).toBeCloseTo(6, 5);
  });

  it('may be squares and have a factor', () => {
    const circle = tabular({
      columns: [{}, {}],
      products: [{ of: [0, 0], equals: 1, factor: Math.PI }],
    });
    const [radius, disc] = projected(circle, [2, 9], [1, Math.PI], linf(20)) as [number, number];
    expect(radius).toBeGreaterThan(1.5);
    expect(disc).toBeCloseTo(Math.PI * radius ** 2, 4);
  });

  it('say what does not hold', () => {
    expect(violated(area, [2, 3, 6.1], [2, 3, 6])).toBe(
      'product 1 (column 2 = column 0 × column 1) does not hold',
    );
    expect(violated(area, [2, 3, 6.1], [2, 3, 6.2])).toBeUndefined();
    expect(violated(area, [2, 3, 5.9], [2, 3, 6.2])).toMatch(/does not hold/);
    expect(area.impossible?.(Float32Array.of(2, 3, 6.2), 0, 3)).toMatch(/does not hold/);
    expect(area.impossible?.(Float32Array.of(2, 3, 6), 0, 3)).toBeUndefined();
  });

  it('do not hold by overflowing', () => {
    const power = tabular({
      columns: Array.from({ length: 9 }, () => ({})),
      products: [{ of: [0, 1, 2, 3, 4, 5, 6, 7], equals: 8 }],
    });
    const huge = [...new Array<number>(8).fill(3.4e38), 5];
    expect(power.impossible?.(Float32Array.from(huge), 0, 9)).toMatch(/does not hold/);
  });

  const file = (product: string) =>
    rowConstraintFrom(
      `{"schema":"glacis.constraints/1","constraints":[{"type":"tabular","products":[${product}]}]}`,
      'c.json',
      { shape: [3], columns: ['price', 'quantity', 'total'] },
    );

  it('are read from a file by the names of columns', () => {
    const total = file('{"of":["price","quantity"],"equals":"total","tolerance":0.005}');
    expect(total.title).toBe('a possible row of the table (columns: 3, products: 1)');
    expect(total.impossible?.(Float32Array.of(2.5, 3, 7.504), 0, 3)).toBeUndefined();
    expect(total.impossible?.(Float32Array.of(2.5, 3, 7.51), 0, 3)).toBe(
      'product 1 (total = price × quantity) does not hold',
    );
  });

  it.each([
    ['{"of":["price","quantity"]}', 'option/invalid', "'equals'"],
    ['{"of":["price","total"],"equals":"total"}', 'option/invalid', 'none of its own'],
    ['{"of":[],"equals":"total"}', 'option/invalid', '1 to 8 columns'],
    ['{"of":["price"],"equals":"total","factor":0}', 'option/invalid', 'factor'],
    ['{"of":["price"],"equals":"total","tolerance":-1}', 'option/invalid', 'tolerance'],
    ['{"of":["prize"],"equals":"total"}', 'option/invalid', 'price'],
    ['{"of":["price"],"is":"total"}', 'option/unknown', 'of, equals, factor, tolerance'],
  ])('refuse %s', (product, code, words) => {
    expect(() => file(product)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    );
  });
});
