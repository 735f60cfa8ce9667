import { describe, expect, test } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { openSimilarQueries, type SimilarSettings } from './similar-queries.ts';

const WIDTH = 48;
const SETTINGS: SimilarSettings = { features: WIDTH, radius: 0.2, level: 10, own: 128, askers: 16 };
const rows = (n: number, seed: number) => {
  const rng = randomFrom(seed, 'similar');
  return Float32Array.from({ length: n * WIDTH }, () => Math.abs(rng.normal()));
};
/** `n` rows, and then each again, a little changed. */
const children = (n: number, seed: number) => {
  const parents = rows(n, seed);
  return Float32Array.from([...parents, ...parents.map((v, i) => v * (1 + 0.02 * (i % 3)))]);
};
function highest(features: Float32Array, settings = SETTINGS): number {
  const watch = openSimilarQueries(settings);
  let most = 0;
  for (let i = 0; i < features.length / WIDTH; i++)
    most = Math.max(most, watch.observe('ann', features, i).score);
  return most;
}

describe('similar queries', () => {
  test('unrelated queries are no evidence', () => {
    expect(highest(rows(400, 1))).toBe(0);
  });

  test('a set that is asked about again, a little changed, is an alarm', () => {
    expect(highest(children(60, 2))).toBeGreaterThan(1);
  });

  test('a burst is none: frames of a camera, files saved again', () => {
    const base = rows(10, 3);
    const frames = Float32Array.from({ length: 300 * WIDTH }, (_, i) => {
      const frame = Math.floor(i / WIDTH);
      return base[Math.floor(frame / 30) * WIDTH + (i % WIDTH)]! * (1 + 0.01 * (frame % 7));
    });
    expect(highest(frames)).toBe(0);
  });

  test('features without a direction count for nothing', () => {
    expect(highest(new Float32Array(100 * WIDTH))).toBe(0);
    expect(highest(new Float32Array(100 * WIDTH).fill(Number.NaN))).toBe(0);
    expect(highest(new Float32Array(100 * WIDTH).fill(Number.POSITIVE_INFINITY))).toBe(0);
  });

  test('the scale of features does not matter', () => {
    const features = children(60, 4);
    expect(highest(features.map((v) => 1000 * v))).toBeCloseTo(highest(features), 6);
  });

  test('a restart forgets nothing, and memory is bounded', () => {
    const features = children(60, 5);
    const whole = openSimilarQueries(SETTINGS);
    let broken = openSimilarQueries(SETTINGS);
    for (let i = 0; i < 120; i++) {
      broken = openSimilarQueries(SETTINGS, broken.snapshot());
      expect(broken.observe('ann', features, i)).toEqual(whole.observe('ann', features, i));
    }
    for (let i = 0; i < 200; i++) whole.observe(`client ${i}`, features, i % 100);
    expect(whole.snapshot().length).toBeLessThan(16 * (128 * 32 * 4 + 100) + 1000);
  });

  test.each([{ radius: 0 }, { radius: 3 }, { level: 0 }, { own: 16 }, { askers: 0 }])(
    '%j is refused',
    (bad) => {
      expect(() => openSimilarQueries({ ...SETTINGS, ...bad })).toThrow(
        expect.objectContaining({ code: 'option/invalid' }),
      );
    },
  );

  test('a state kept with other settings is refused', () => {
    const watch = openSimilarQueries(SETTINGS);
    watch.observe('ann', rows(1, 6), 0);
    expect(() => openSimilarQueries({ ...SETTINGS, own: 64 }, watch.snapshot())).toThrow(
      expect.objectContaining({ code: 'result/invalid' }),
    );
  });
});
