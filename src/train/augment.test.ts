import { describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { cutout, flip, light, noise, shift } from './augment.ts';
import { shuffled } from './samples.ts';

describe('shift', () => {
  const dims = [2, 4, 5];
  const picture = Float32Array.from({ length: 40 }, (_, i) => i / 40);

  it('moves the whole picture and repeats its edge', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const moved = picture.slice();
      shift(1).apply(moved, dims, randomFrom(seed));
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

  it('fills with zeros where it is told to', () => {
    const moved = new Float32Array(16).fill(1);
    shift(2, 'zero').apply(moved, [1, 4, 4], randomFrom(3));
    const ones = moved.filter((v) => v === 1).length;
    expect([...moved].every((v) => v === 0 || v === 1)).toBe(true);
    expect([4, 6, 8, 9, 12, 16]).toContain(ones);
  });

  it('refuses what is no picture', () => {
    expect(() => shift(1).apply(new Float32Array(4), [4], randomFrom(1))).toThrow(/expected pictures/);
  });
});

describe('light', () => {
  it('changes the light within its share and stays at most 1', () => {
    const factors = Array.from({ length: 50 }, (_, seed) => {
      const lit = Float32Array.from([0.5, 0.9]);
      light(0.25).apply(lit, [1, 1, 2], randomFrom(seed));
      expect(lit[1]).toBeLessThanOrEqual(1);
      return lit[0]! / 0.5;
    });
    expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.75);
    expect(Math.max(...factors)).toBeLessThanOrEqual(1.25);
    expect(Math.max(...factors) - Math.min(...factors)).toBeGreaterThan(0.3);
  });
});

describe('flip', () => {
  it('mirrors every row of every channel, half of the time', () => {
    const picture = Float32Array.from({ length: 12 }, (_, i) => i);
    const mirrored = [2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9];
    const results = Array.from({ length: 100 }, (_, seed) => {
      const sample = picture.slice();
      flip().apply(sample, [2, 2, 3], randomFrom(seed));
      return [...sample];
    });
    const turned = results.filter((each) => each[0] === 2);
    for (const each of results) expect(each).toEqual(each[0] === 2 ? mirrored : [...picture]);
    expect(turned.length).toBeGreaterThan(30);
    expect(turned.length).toBeLessThan(70);
  });
});

describe('cutout', () => {
  it('blackens one square, the same in every channel', () => {
    const sample = new Float32Array(2 * 64).fill(1);
    cutout(4).apply(sample, [2, 8, 8], randomFrom(5));
    const black = (c: number) =>
      [...sample.subarray(c * 64, (c + 1) * 64)].flatMap((v, i) => (v === 0 ? i : []));
    expect(black(0)).toEqual(black(1));
    const rows = new Set(black(0).map((i) => Math.floor(i / 8)));
    const columns = new Set(black(0).map((i) => i % 8));
    expect(rows.size * columns.size).toBe(black(0).length);
    expect(Math.max(rows.size, columns.size)).toBeLessThanOrEqual(4);
    expect(black(0).length).toBeGreaterThanOrEqual(4);
  });
});

describe('noise', () => {
  it('has its standard deviation, and stays in 0 to 1', () => {
    const sample = new Float32Array(4000).fill(0.5);
    noise(0.1).apply(sample, [4000], randomFrom(2));
    const spread = Math.sqrt(sample.reduce((sum, v) => sum + (v - 0.5) ** 2, 0) / 4000);
    expect(spread).toBeCloseTo(0.1, 2);
    const bright = new Float32Array(100).fill(1);
    noise(1).apply(bright, [100], randomFrom(2));
    expect(Math.max(...bright)).toBe(1);
    expect(Math.min(...bright)).toBeGreaterThanOrEqual(0);
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
