import { describe, expect, test } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { boundaryWalk } from './boundary-walk.ts';

const WIDTH = 20;
const random = (seed: number) => {
  const rng = randomFrom(seed, 'walk');
  return () => Float32Array.from({ length: WIDTH }, () => rng.uniform());
};

describe('boundary walk', () => {
  test('unrelated queries are on no line, and as far from the nearest as from others', () => {
    const walk = boundaryWalk(WIDTH);
    const draw = random(1);
    for (let i = 0; i < 100; i++) walk.observe(draw(), 0, 0);
    const { collinear, flipped, nearness, compared } = walk.shape();
    expect(compared).toBe(96);
    expect(collinear).toBe(0);
    expect(flipped).toBe(0);
    expect(nearness).toBeGreaterThan(0.6);
  });

  test('a search by halves lies on a line', () => {
    const walk = boundaryWalk(WIDTH);
    const draw = random(2);
    for (let search = 0; search < 8; search++) {
      const [a, b] = [draw(), draw()];
      let [low, high] = [0, 1];
      for (let i = 0; i < 10; i++) {
        const t = (low + high) / 2;
        walk.observe(
          a.map((v, k) => v + t * (b[k]! - v)),
          0,
          t > 0.3 ? 1 : 0,
        );
        if (t > 0.3) high = t;
        else low = t;
      }
    }
    expect(walk.shape().collinear).toBeGreaterThan(0.7);
    expect(walk.shape().flipped).toBeGreaterThan(0.15);
  });

  test('noise about a point of the boundary flips half of the time, near by', () => {
    const walk = boundaryWalk(WIDTH);
    const rng = randomFrom(3, 'walk');
    const centre = random(4)();
    const far = random(5);
    for (let i = 0; i < 3; i++) walk.observe(far(), 0, 0);
    for (let i = 0; i < 200; i++)
      walk.observe(
        centre.map((v) => v + 0.01 * rng.normal()),
        0,
        rng.integer(2),
      );
    expect(walk.shape().flipped).toBeGreaterThan(0.3);
    expect(walk.shape().flipped).toBeLessThan(0.7);
  });

  test('repeats are left out', () => {
    const walk = boundaryWalk(WIDTH);
    const x = random(6)();
    for (let i = 0; i < 50; i++) walk.observe(x, 0, i % 2);
    expect(walk.shape().compared).toBe(0);
  });

  test('no length, no walk', () => {
    expect(() => boundaryWalk(0)).toThrow(expect.objectContaining({ code: 'option/invalid' }));
  });
});
