import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { queryMemory } from './query-memory.ts';

const CELLS = 12;
const query = (seed: number, shift = 0) => {
  const rng = randomFrom(seed, 'memory');
  const cells = Float32Array.from({ length: CELLS }, () => rng.uniform());
  cells[0]! += shift;
  return { cells, digest: [seed, Math.round(1e6 * shift)] as const };
};
const memory = (capacity = 64) => queryMemory(CELLS, 0.2, capacity, 7);

describe('query memory', () => {
  test('finds the nearest within reach, and what was kept with it', () => {
    const held = memory();
    for (let i = 0; i < 40; i++) held.add(query(i), { cluster: i, label: i % 3 });
    const found = held.nearest(query(5, 0.01), 0.1);
    expect(found).toMatchObject({ cluster: 5, label: 2, repeat: false });
    expect(found!.distance).toBeCloseTo(0.01, 5);
    expect(held.nearest(query(1000), 0.1)).toBeUndefined();
  });

  test('a repeat is one, and nothing else is', () => {
    const held = memory();
    held.add(query(1), { cluster: 1, label: 0 });
    expect(held.nearest(query(1), 0.1)).toMatchObject({ repeat: true, distance: 0 });
    expect(held.nearest({ ...query(1), digest: [1, 1] }, 0.1)).toMatchObject({ repeat: false, distance: 0 });
  });

  test('what is older than its capacity is gone', () => {
    const held = memory(64);
    held.add(query(0), { cluster: 0, label: 0 });
    for (let i = 1; i < 64; i++) held.add(query(i), { cluster: i, label: 0 });
    expect(held.nearest(query(0, 0.001), 0.1)).toBeDefined();
    held.add(query(64), { cluster: 64, label: 0 });
    expect(held.nearest(query(0, 0.001), 0.1)).toBeUndefined();
    expect(held.nearest(query(0), 0.1)).toBeUndefined();
  });

  test('an empty memory holds nothing, not even what is all zeros', () => {
    const nothing = { cells: new Float32Array(CELLS), digest: [0, 0] as const };
    expect(memory().nearest(nothing, 0.1)).toBeUndefined();
  });

  test('memory does not grow', () => {
    const held = memory(16);
    const sizes = () => Object.values(held.arrays).map(({ length }) => length);
    const before = sizes();
    for (let i = 0; i < 1000; i++) held.add(query(i), { cluster: i, label: 0 });
    expect(sizes()).toEqual(before);
  });

  test('numbers wrap and go on', () => {
    const held = memory(16);
    held.arrays.counter![0] = 2 ** 32 - 3;
    for (let i = 0; i < 8; i++) held.add(query(i), { cluster: i, label: 0 });
    expect(held.next()).toBeLessThan(10);
    expect(held.next()).toBeGreaterThan(0);
    for (let i = 3; i < 8; i++) expect(held.nearest(query(i, 0.001), 0.1)).toMatchObject({ cluster: i });
  });

  test('values that are no numbers are near to nothing and break nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.float(), { minLength: CELLS, maxLength: CELLS }), (values) => {
        const held = memory(16);
        const odd = { cells: Float32Array.from(values), digest: [1, 2] as const };
        held.add(odd, { cluster: 1, label: 0 });
        held.add(query(3), { cluster: 3, label: 0 });
        expect(held.nearest(query(3, 0.001), 0.1)).toMatchObject({ cluster: 3 });
        held.nearest({ ...odd, digest: [3, 4] }, 0.1);
      }),
    );
  });

  test.each([0, 15, 100, 2 ** 23, Number.NaN])('a capacity of %d is refused', (capacity) => {
    expect(() => memory(capacity)).toThrow(expect.objectContaining({ code: 'option/invalid' }));
  });
});
