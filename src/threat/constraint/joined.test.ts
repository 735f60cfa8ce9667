import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { holdsContract, projected, violated } from './contract.fixture.ts';
import { eightBit, eightBitValues } from './eight-bit.ts';
import { joined } from './joined.ts';
import { mask } from './mask.ts';
import { tabular } from './tabular.ts';

describe('joined', () => {
  it('holds what constraints promise: a mask and 8 bits', () => {
    const values = eightBitValues([0, 1]);
    const constraint = joined(
      [
        mask(
          Array.from({ length: 20 }, (_, i) => i % 2),
          [20],
          [20],
        ),
        eightBit([0, 1], 20),
      ],
      20,
    );
    expect([constraint.id, constraint.title]).toEqual([
      'mask+8-bit',
      'only 10 of 20 elements may change; every value survives being saved in 8 bits',
    ]);
    const moved = holdsContract({
      constraint,
      clean(seed) {
        const rng = randomFrom(seed, 'clean');
        return Float32Array.from({ length: 20 }, () => values[rng.integer(256)]!);
      },
      bounds: [0, 1],
      eps: { linf: 0.1, l2: 0.2, l1: 0.5, l0: 6 },
    });
    expect(moved).toBeGreaterThan(0.9);
  });

  it('holds what constraints promise: two tables’ rules that must agree', () => {
    const sum = tabular({
      columns: [{}, {}, {}],
      relations: [
        {
          terms: [
            [0, 1],
            [1, 1],
            [2, 1],
          ],
          equals: 6,
        },
      ],
    });
    const order = tabular({
      columns: [{ min: 0 }, {}, { max: 4 }],
      relations: [
        {
          terms: [
            [0, 1],
            [1, -1],
          ],
          atMost: 0,
        },
      ],
    });
    const moved = holdsContract({
      constraint: joined([sum, order], 3),
      // 0 ≤ a ≤ b and a third of at most 4 that makes the sum 6.
      clean(seed) {
        const rng = randomFrom(seed, 'clean');
        const b = 2 + rng.integer(3);
        const a = rng.integer(b + 1);
        return Float32Array.of(a, b + Math.max(0, 2 - a - b), Math.min(4, 6 - a - b));
      },
      eps: { linf: 1, l2: 2, l1: 3, l0: 10 },
    });
    expect(moved).toBeGreaterThan(0.9);
  });

  it('is the clean row where nothing else satisfies all', () => {
    const one = mask([1, 0], [2], [2]);
    const other = mask([0, 1], [2], [2]);
    const both = joined([one, other], 2);
    expect(projected(both, [5, 5], [1, 2], { norm: 'linf', eps: 9, bounds: [0, 9] })).toEqual([1, 2]);
    expect(violated(both, [1, 3], [1, 2])).toBe('elements changed that the mask holds fixed: 1');
  });

  it('of one constraint is that constraint, of none an error', () => {
    const one = mask([1], [1], [1]);
    expect(joined([one], 1)).toBe(one);
    expect(() => joined([], 1)).toThrow('expected at least one constraint, got none');
  });
});
