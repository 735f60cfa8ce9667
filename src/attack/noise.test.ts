import { describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { noiseFrom } from './noise.ts';

const N = 400_000;
const drawn = (fill: (noise: ReturnType<typeof noiseFrom>, out: Float32Array) => void, seed = 1) => {
  const out = new Float32Array(N);
  fill(noiseFrom(randomFrom(seed, 'noise')), out);
  return out;
};
const mean = (values: Float32Array, f: (v: number) => number) => {
  let total = 0;
  for (const v of values) total += f(v);
  return total / values.length;
};

describe('noiseFrom', () => {
  it('gives the same numbers for the same generator, however they are asked for', () => {
    const whole = drawn((noise, out) => noise.normals(out));
    const parts = drawn((noise, out) => {
      for (let at = 0; at < N; at += 1000) noise.normals(out.subarray(at, at + 1000));
    });
    expect(parts).toEqual(whole);
    expect(drawn((noise, out) => noise.normals(out), 2)).not.toEqual(whole);
  });

  it('takes its state from the generator at once', () => {
    const rng = randomFrom(1, 'noise');
    const noise = noiseFrom(rng);
    rng.uniform();
    const [a, b] = [new Float32Array(8), new Float32Array(8)];
    noise.normals(a);
    noiseFrom(randomFrom(1, 'noise')).normals(b);
    expect(a).toEqual(b);
  });

  it('draws normal numbers: moments, and the shares beyond 1, 2 and the edge of the ziggurat', () => {
    const values = drawn((noise, out) => noise.normals(out));
    // Five standard errors of each.
    expect(Math.abs(mean(values, (v) => v))).toBeLessThan(5 / Math.sqrt(N));
    expect(Math.abs(mean(values, (v) => v * v) - 1)).toBeLessThan(5 * Math.sqrt(2 / N));
    expect(Math.abs(mean(values, (v) => v ** 3))).toBeLessThan(5 * Math.sqrt(15 / N));
    expect(Math.abs(mean(values, (v) => v ** 4) - 3)).toBeLessThan(5 * Math.sqrt(96 / N));
    for (const [beyond, share] of [
      [1, 0.31731],
      [2, 0.0455],
      [3.4426198, 5.7617e-4],
    ] as const) {
      const found = mean(values, (v) => (Math.abs(v) > beyond ? 1 : 0));
      expect(Math.abs(found - share), `beyond ${beyond}`).toBeLessThan(
        5 * Math.sqrt((share * (1 - share)) / N),
      );
    }
  });

  it('draws numbers that know nothing of each other', () => {
    const values = drawn((noise, out) => noise.normals(out));
    for (const lag of [1, 2, 7, 128]) {
      let total = 0;
      for (let i = lag; i < N; i++) total += values[i]! * values[i - lag]!;
      expect(Math.abs(total / N), `lag ${lag}`).toBeLessThan(5 / Math.sqrt(N));
    }
  });

  it('draws uniform numbers in their range', () => {
    const values = drawn((noise, out) => noise.uniforms(out, -2, 6));
    expect(values.every((v) => v >= -2 && v <= 6)).toBe(true);
    expect(Math.abs(mean(values, (v) => v) - 2)).toBeLessThan((5 * 8) / Math.sqrt(12 * N));
    expect(mean(values, (v) => (v < 0 ? 1 : 0))).toBeCloseTo(0.25, 2);
  });

  it('draws signs, as many of each', () => {
    const values = drawn((noise, out) => noise.signs(out));
    expect(values.every((v) => v === 1 || v === -1)).toBe(true);
    expect(Math.abs(mean(values, (v) => v))).toBeLessThan(5 / Math.sqrt(N));
  });
});
