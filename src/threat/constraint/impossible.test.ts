import { describe, expect, it } from 'vitest';
import { eightBit } from './eight-bit.ts';
import { rowConstraintFrom } from './from-file.ts';
import { joined } from './joined.ts';
import { mask } from './mask.ts';
import { series } from './series.ts';
import { tabular } from './tabular.ts';

const why = (constraint: ReturnType<typeof joined>, row: readonly number[]) =>
  constraint.impossible?.(Float32Array.from([9, ...row]), 1, row.length);

describe('what a row says by itself', () => {
  const table = tabular({
    columns: [
      { name: 'a', type: 'integer', min: 0, immutable: true },
      { name: 'b', direction: 'up', maxChange: 1 },
    ],
    relations: [
      {
        terms: [
          [0, 1],
          [1, 1],
        ],
        equals: 3,
      },
    ],
    maxCost: 0,
  });

  it('is its columns and relations, without the allowance of a clean row', () => {
    expect(why(table, [1, 2])).toBeUndefined();
    expect(why(table, [1.5, 1.5])).toBe('a is not a whole number');
    expect(why(table, [1, 2.5])).toMatch(/relation 1 .*does not hold/);
    // Beside itself as the clean row, the same row is let through: an example may miss what its clean row misses.
    expect(table.violation(Float32Array.of(1, 2.5), 0, Float32Array.of(1, 2.5), 0, 2)).toBeUndefined();
  });

  it('allows what a tolerance says', () => {
    const loose = tabular({
      columns: [{}, {}],
      relations: [
        {
          terms: [
            [0, 1],
            [1, 1],
          ],
          equals: 3,
          tolerance: 0.6,
        },
      ],
    });
    expect(why(loose, [1, 2.5])).toBeUndefined();
    expect(why(loose, [1, 2.7])).toMatch(/does not hold/);
  });

  it('holds at every step of a series, not only at those that may change', () => {
    const prices = series({ layout: 'time-first', last: 1, columns: [{ maxJump: 1 }] }, [4, 1]);
    expect(why(prices, [1, 2, 3, 4])).toBeUndefined();
    expect(why(prices, [1, 5, 5, 5])).toMatch(/jumps by more than 1/);
    expect(
      prices.violation(Float32Array.of(1, 5, 5, 5), 0, Float32Array.of(1, 5, 5, 5), 0, 4),
    ).toBeUndefined();
  });

  it('is nothing for a mask, the levels for bytes, and all of them for several', () => {
    expect(why(mask([0, 1], [2], [2]), [7, 8])).toBeUndefined();
    expect(why(eightBit([0, 255], 2), [7, 8.5])).toMatch(/none of the 256/);
    const both = joined([eightBit([0, 255], 2), tabular({ columns: [{ max: 9 }, {}] })], 2);
    expect(why(both, [7, 8])).toBeUndefined();
    expect(why(both, [10, 8])).toMatch(/above 9/);
    expect(why(both, [7, 8.5])).toMatch(/none of the 256/);
  });

  it('never holds for what is no number', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(why(tabular({ columns: [{}] }), [value])).toBe('a value is not a finite number');
  });

  it('is read from a file without its masks, and from no file of masks alone', () => {
    const file = (...constraints: object[]) =>
      JSON.stringify({ schema: 'glacis.constraints/1', constraints });
    const missing = { type: 'mask', file: 'not-there.npy' };
    const bytes = { type: '8-bit', range: [0, 255] };
    expect(why(rowConstraintFrom(file(missing, bytes), 'c.json', { shape: [2] }), [7, 8.5])).toMatch(/256/);
    expect(() => rowConstraintFrom(file(missing), 'c.json', { shape: [2] })).toThrow(
      /at least one constraint/,
    );
    expect(() => rowConstraintFrom(file({ type: 'tabular', column: 1 }), 'c.json', { shape: [2] })).toThrow(
      /c\.json: constraints\[0\]/,
    );
  });
});
