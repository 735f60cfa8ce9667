import { describe, expect, test } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { prada } from './prada.ts';

const WIDTH = 12;
const SETTINGS = { width: WIDTH, classes: 2, most: 1000, window: 5000 };

/** The statistics of queries drawn one after another. */
function statistics(
  n: number,
  draw: (i: number, before: readonly Float32Array[]) => Float32Array,
  settings = SETTINGS,
) {
  const watch = prada(settings);
  const before: Float32Array[] = [];
  const found: number[] = [];
  for (let i = 0; i < n; i++) {
    const x = draw(i, before);
    before.push(x);
    const w = watch.observe(x, 0, i % 2);
    if (w !== undefined) found.push(w);
  }
  return found;
}

const sample = (seed: number) => {
  const rng = randomFrom(seed, 'prada');
  return () => Float32Array.from({ length: WIDTH }, () => rng.normal());
};

describe('PRADA', () => {
  test('judges every tenth query once there are more than a hundred distances', () => {
    const draw = sample(1);
    const watch = prada(SETTINGS);
    const at: number[] = [];
    for (let i = 0; i < 200; i++) if (watch.observe(draw(), 0, i % 2) !== undefined) at.push(i + 1);
    expect(at[0]).toBeGreaterThanOrEqual(110);
    expect(at.every((n) => n % 10 === 0)).toBe(true);
  });

  test('independent queries have distances that look normal, queries made from each other at one distance have not', () => {
    const draw = sample(2);
    const calm = statistics(600, draw);
    expect(calm.at(-1)).toBeGreaterThan(0.95);
    const made = statistics(600, (i, before) =>
      i < 100 ? draw() : before[i - 100]!.map((v, k) => v + ((i + k) % 2 ? 0.1 : -0.1)),
    );
    expect(Math.min(...made)).toBeLessThan(0.93);
  });

  test('a few distances beyond three deviations do not count', () => {
    const draw = sample(5);
    const odd = statistics(600, (i) => (i % 200 === 199 ? draw().map((v) => 30 * v) : draw()));
    expect(odd.at(-1)).toBeGreaterThan(0.95);
  });

  test('is blind to natural queries of another domain: its known weakness', () => {
    const draw = sample(3);
    const other = statistics(600, () => draw().map((v) => 100 + 20 * v));
    expect(other.at(-1)).toBeGreaterThan(0.95);
  });

  test('sets and distances are bounded', () => {
    const draw = sample(4);
    expect(statistics(3000, draw, { ...SETTINGS, most: 8, window: 100 }).every((w) => w > 0)).toBe(true);
  });

  test.each([{ window: 50 }, { window: 6000 }, { most: 1 }, { width: 0 }])('%j is refused', (bad) => {
    expect(() => prada({ ...SETTINGS, ...bad })).toThrow(expect.objectContaining({ code: 'option/invalid' }));
  });
});
