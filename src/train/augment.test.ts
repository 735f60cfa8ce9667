import { describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { shiftAndLight } from './augment.ts';
import { shuffled } from './samples.ts';
import { cosineRate } from './schedule.ts';

describe('shiftAndLight', () => {
  const dims = [2, 4, 5];
  const picture = Float32Array.from({ length: 40 }, (_, i) => i / 40);

  it('moves the whole picture and repeats its edge', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const moved = picture.slice();
      shiftAndLight(1, 0)(moved, dims, randomFrom(seed));
      // The value in the middle tells by how much; every other must follow.
      const at = Math.round(moved[7]! * 40) - 7;
      const [down, right] = [-Math.round(at / 5), -(at - 5 * Math.round(at / 5))];
      seen.add(`${down},${right}`);
      for (let c = 0; c < 2; c++) {
        for (let row = 0; row < 4; row++) {
          for (let column = 0; column < 5; column++) {
            const from = Math.min(3, Math.max(0, row - down)) * 5 + Math.min(4, Math.max(0, column - right));
            expect(moved[(c * 4 + row) * 5 + column]).toBe(picture[c * 20 + from]);
          }
        }
      }
    }
    expect(seen.size).toBe(9);
  });

  it('changes the light within its share and stays in 0 to 1', () => {
    const factors = Array.from({ length: 50 }, (_, seed) => {
      const lit = Float32Array.from([0.5, 0.9]);
      shiftAndLight(0, 0.25)(lit, [1, 1, 2], randomFrom(seed));
      expect(lit[1]).toBeLessThanOrEqual(1);
      return lit[0]! / 0.5;
    });
    expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.75);
    expect(Math.max(...factors)).toBeLessThanOrEqual(1.25);
    expect(Math.max(...factors) - Math.min(...factors)).toBeGreaterThan(0.3);
  });
});

describe('shuffled', () => {
  it('holds each number once, in an order of its generator', () => {
    const order = shuffled(100, randomFrom(1));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(shuffled(100, randomFrom(1))).toEqual(order);
    expect(shuffled(100, randomFrom(2))).not.toEqual(order);
  });
});

describe('cosineRate', () => {
  it('rises in a line, then falls along half a cosine towards 0', () => {
    expect([0, 1, 2, 3].map((s) => cosineRate(0.8, s, 12, 4))).toEqual([0.2, 0.4, 0.6000000000000001, 0.8]);
    expect(cosineRate(0.8, 4, 12, 4)).toBeCloseTo(0.8);
    expect(cosineRate(0.8, 8, 12, 4)).toBeCloseTo(0.4);
    expect(cosineRate(0.8, 11, 12, 4)).toBeLessThan(0.04);
    expect(cosineRate(1, 0, 1, 0)).toBe(1);
  });
});
