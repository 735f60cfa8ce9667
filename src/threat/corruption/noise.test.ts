import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { gaussianNoise, impulseNoise, shotNoise } from './noise.ts';
import { addRandomNoise } from './random-noise.ts';

const SIDE = 100;
const flat = (value: number) => ({
  channels: 1,
  height: 32,
  width: (SIDE * SIDE) / 32,
  values: new Float32Array(SIDE * SIDE).fill(value),
});
function moments(values: ArrayLike<number>): { mean: number; variance: number } {
  const list = Array.from(values);
  const mean = list.reduce((sum, v) => sum + v, 0) / list.length;
  return { mean, variance: list.reduce((sum, v) => sum + (v - mean) ** 2, 0) / list.length };
}

describe('noise', () => {
  it.each([
    [1, 0.04],
    [5, 0.1],
  ] as const)('gaussian has the published standard deviation at severity %i', (severity, sigma) => {
    const { mean, variance } = moments(gaussianNoise.distort(flat(0.5), severity, randomFrom(1)));
    expect(mean).toBeCloseTo(0.5, 2);
    expect(Math.sqrt(variance) / sigma).toBeCloseTo(1, 1);
  });

  it.each([
    [1, 500],
    [5, 50],
  ] as const)('shot noise has the mean and variance of photons at severity %i', (severity, photons) => {
    for (const light of [0.02, 0.4, 1]) {
      const { mean, variance } = moments(shotNoise.distort(flat(light), severity, randomFrom(2)));
      expect(mean / light).toBeCloseTo(1, 1);
      expect((variance * photons) / light).toBeGreaterThan(0.93);
      expect((variance * photons) / light).toBeLessThan(1.07);
    }
    expect(moments(shotNoise.distort(flat(0), severity, randomFrom(2)))).toEqual({ mean: 0, variance: 0 });
  });

  it('impulses hit the published share of values, half of them each way', () => {
    const out = Array.from(impulseNoise.distort(flat(0.5), 5, randomFrom(3)));
    const share = (value: number) => out.filter((v) => v === value).length / out.length;
    expect(share(0)).toBeCloseTo(0.035, 2);
    expect(share(1)).toBeCloseTo(0.035, 2);
    expect(share(0.5)).toBeCloseTo(0.93, 2);
  });
});

describe('addRandomNoise', () => {
  const image = new Float32Array(SIDE * SIDE).fill(0.5);

  it('stays in the Linf ball and fills it', () => {
    const out = addRandomNoise(image, 'uniform', 0.1, randomFrom(4));
    const change = out.map((value) => value - 0.5);
    expect(Math.max(...change)).toBeGreaterThan(0.099);
    expect(Math.max(...change.map(Math.abs))).toBeLessThanOrEqual(0.1 + 1e-7);
    expect(Math.sqrt(moments(change).variance)).toBeCloseTo(0.1 / Math.sqrt(3), 2);
  });

  it('is normal of the given standard deviation', () => {
    const { mean, variance } = moments(addRandomNoise(image, 'gaussian', 0.1, randomFrom(5)));
    expect(mean).toBeCloseTo(0.5, 2);
    expect(Math.sqrt(variance)).toBeCloseTo(0.1, 2);
  });

  it('is clipped to the range and leaves its input alone', () => {
    const edge = Float32Array.of(0, 1);
    const out = addRandomNoise(edge, 'gaussian', 5, randomFrom(6));
    expect(out.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect([...edge]).toEqual([0, 1]);
  });
});
