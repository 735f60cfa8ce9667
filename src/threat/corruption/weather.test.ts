import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { fog } from './fog.ts';
import { frost } from './frost.ts';
import { crystals } from './frost-crystals.ts';
import { greyOf } from './planes.ts';
import { plasma } from './plasma.ts';
import { snow } from './snow.ts';

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length;
const flat = (value: number, channels = 3) => ({
  channels,
  height: 32,
  width: 32,
  values: new Float32Array(channels * 1024).fill(value),
});
/** Mean difference of neighbours in a row. */
const roughness = (values: ArrayLike<number>, width: number) =>
  mean(
    Array.from(values, (value, i) => ((i + 1) % width ? Math.abs(value - values[i + 1]!) : 0)).filter(
      (_, i) => (i + 1) % width,
    ),
  );

describe('plasma', () => {
  it('reaches from 0 to 1 on a square of a power of two', () => {
    const map = plasma(64, 64, 2, randomFrom(1));
    expect(Math.min(...map)).toBe(0);
    expect(Math.max(...map)).toBe(1);
  });

  it('is smoother where the decay is larger', () => {
    expect(roughness(plasma(64, 64, 3, randomFrom(2)), 64)).toBeLessThan(
      roughness(plasma(64, 64, 1.4, randomFrom(2)), 64) / 2,
    );
  });

  it('wraps around, so that a long picture needs no square of its length', () => {
    const map = plasma(2, 5000, 2, randomFrom(3));
    expect(map[2048]).toBe(map[0]);
    expect(map[5000 + 2048 + 7]).toBe(map[5000 + 7]);
    expect(map[2047]).not.toBe(map[4999 - 2048]);
  });

  it('gives numbers for one pixel', () => {
    expect(plasma(1, 1, 2, randomFrom(4)).every((v) => v >= 0 && v <= 1)).toBe(true);
  });
});

describe('weather', () => {
  it('fog keeps the brightest value as its ceiling, and black black', () => {
    const out = Array.from(fog.distort(flat(0.6), 3, randomFrom(1)));
    expect(Math.max(...out)).toBeLessThanOrEqual(0.6 + 1e-6);
    expect(out.slice(0, 1024)).toEqual(out.slice(1024, 2048));
    expect(Math.max(...Array.from(fog.distort(flat(0), 5, randomFrom(1))))).toBe(0);
  });

  it('snow only brightens, and falls on all channels alike', () => {
    const out = Array.from(snow.distort(flat(0.3), 4, randomFrom(2)));
    expect(Math.min(...out)).toBeGreaterThan(0.3);
    expect(out.slice(0, 1024)).toEqual(out.slice(2048));
    // The flakes appear twice, the second time turned by half a turn.
    for (const i of [0, 5, 77, 500]) expect(out[i]).toBeCloseTo(out[1023 - i]!, 6);
  });

  it('frost adds a bluish brightness of the photographs that it stands for', () => {
    const means = Array.from({ length: 40 }, (_, i) => {
      const out = Array.from(frost.distort(flat(0), 5, randomFrom(i)));
      const [red, green, blue] = [0, 1, 2].map((c) => mean(out.slice(c * 1024, (c + 1) * 1024)) / 0.45);
      expect(red).toBeLessThan(green!);
      expect(green).toBeLessThan(blue!);
      return green!;
    });
    expect(Math.min(...means)).toBeGreaterThan(0.43);
    expect(Math.max(...means)).toBeLessThan(0.82);
    expect(mean(means)).toBeCloseTo(0.62, 1);
  });

  it('frost crystals have mean 0 and standard deviation 1 at any size of the drawing', () => {
    for (const [side, scale] of [
      [32, 0.2],
      [64, 0.3],
      [100, 1],
    ] as const) {
      const ice = crystals(side, side, scale, randomFrom(9));
      expect(mean(ice)).toBeCloseTo(0, 1);
      expect(mean(ice.map((v) => v * v))).toBeCloseTo(1, 0);
    }
  });

  it('grey is luma for three channels and the mean for others', () => {
    const [red, green, blue] = [1, 0.5, 0];
    const values = Float32Array.of(red, green, blue);
    expect(greyOf({ channels: 3, height: 1, width: 1, values })[0]).toBeCloseTo(0.299 + 0.587 / 2, 6);
    expect(greyOf({ channels: 1, height: 1, width: 3, values })).toEqual(values);
    expect(greyOf({ channels: 2, height: 1, width: 1, values: Float32Array.of(0.2, 0.6) })[0]).toBeCloseTo(
      0.4,
      6,
    );
  });
});
