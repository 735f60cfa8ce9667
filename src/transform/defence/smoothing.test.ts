import { describe, expect, it } from 'vitest';
import { gaussianKernel } from './gaussian.ts';
import { farthest, onPlanes, randomPictures, throughDefences } from './picture-model.fixture.ts';
import { selectionNetwork } from './sorting-network.ts';

const DIMS = [2, 3, 7, 5];

describe('bit-depth', () => {
  it.each([1, 4, 8])('keeps %i bits', async (bits) => {
    const data = randomPictures(DIMS);
    const levels = 2 ** bits - 1;
    const expected = Array.from(data, (v) => Math.round(v * levels) / levels);
    expect(farthest(await throughDefences(`bit-depth(bits=${bits})`, DIMS, data), expected)).toBeLessThan(
      1e-6,
    );
  });

  it('leaves 8-bit pictures alone at 8 bits', async () => {
    const data = Float32Array.from({ length: 105 }, (_, i) => i / 255);
    expect(farthest(await throughDefences('bit-depth(bits=8)', [1, 3, 7, 5], data), data)).toBeLessThan(1e-7);
  });
});

describe('median', () => {
  it.each([2, 3, 4, 5])('is the middle value of a window of %i', async (window) => {
    const data = randomPictures(DIMS);
    const from = -Math.floor(window / 2);
    const expected = onPlanes(DIMS, data, (at, h, w) =>
      Array.from({ length: h * w }, (_, i) => {
        const values = Array.from({ length: window * window }, (_, k) =>
          at(Math.floor(i / w) + from + Math.floor(k / window), (i % w) + from + (k % window)),
        ).sort((a, b) => a - b);
        return values[Math.floor(values.length / 2)]!;
      }),
    );
    expect(farthest(await throughDefences(`median(window=${window})`, DIMS, data), expected)).toBe(0);
  });

  it.each([4, 9, 16, 25, 49])('is found by a network for %i values, whatever their order', (n) => {
    const rank = Math.floor(n / 2);
    const network = selectionNetwork(n, rank);
    // The zero-one principle: a network that is right on zeros and ones is right on all numbers.
    for (let ones = 0; ones <= n; ones++)
      for (let turn = 0; turn < n; turn++) {
        const values: number[] = Array.from({ length: n }, (_, i) => ((i * 5 + turn * 3) % n < ones ? 1 : 0));
        const expected = values.toSorted((a, b) => a - b)[rank];
        for (const { low, high } of network) {
          const [a, b] = [values[low]!, values[high]!];
          [values[low], values[high]] = [Math.min(a, b), Math.max(a, b)];
        }
        expect(values[rank]).toBe(expected);
      }
    // Fewer comparisons than sorting everything takes.
    expect(network.length).toBeLessThan((n * Math.ceil(Math.log2(n)) * (Math.ceil(Math.log2(n)) + 1)) / 4);
  });
});

describe('gaussian', () => {
  it.each([0.5, 1, 2])('is the weighted mean at sigma %d', async (sigma) => {
    const data = randomPictures(DIMS);
    const kernel = gaussianKernel(sigma);
    const reach = (kernel.length - 1) / 2;
    const expected = onPlanes(DIMS, data, (at, h, w) =>
      Array.from({ length: h * w }, (_, i) => {
        let sum = 0;
        for (let a = -reach; a <= reach; a++)
          for (let b = -reach; b <= reach; b++)
            sum += kernel[a + reach]! * kernel[b + reach]! * at(Math.floor(i / w) + a, (i % w) + b);
        return sum;
      }),
    );
    expect(farthest(await throughDefences(`gaussian(sigma=${sigma})`, DIMS, data), expected)).toBeLessThan(
      1e-6,
    );
  });

  it('keeps the mean of its weights at 1', () => {
    expect(gaussianKernel(1.3).reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 12);
  });
});

describe('total-variation', () => {
  const field = (data: ArrayLike<number>, weight: number, steps: number, dims = DIMS) =>
    onPlanes(dims, data, (at, h, w) => denoised(at, h, w, weight, steps));

  it.each([
    [0.1, 1],
    [0.1, 10],
    [0.5, 5],
  ])('takes the steps of scikit-image at weight %d, %i times', async (weight, steps) => {
    const data = randomPictures(DIMS);
    const got = await throughDefences(`total-variation(weight=${weight}, steps=${steps})`, DIMS, data);
    expect(farthest(got, field(data, weight, steps))).toBeLessThan(1e-5);
  });

  it('comes nearer to the minimum with more steps', async () => {
    const dims = [1, 1, 12, 12];
    const data = randomPictures(dims);
    const energies: number[] = [];
    for (const steps of [1, 5, 25, 80]) {
      const u = await throughDefences(`total-variation(weight=0.2, steps=${steps})`, dims, data);
      energies.push(energy(u, data, 12, 0.2));
    }
    expect(energies).toEqual([...energies].sort((a, b) => b - a));
  });
});

/** Chambolle's projection as scikit-image's `_denoise_tv_chambolle_nd` runs it, in float64. */
function denoised(
  at: (y: number, x: number) => number,
  h: number,
  w: number,
  weight: number,
  steps: number,
): number[] {
  const down = new Float64Array(h * w);
  const across = new Float64Array(h * w);
  const image = Array.from({ length: h * w }, (_, i) => at(Math.floor(i / w), i % w));
  let out = image;
  const divergence = () =>
    image.map((v, i) => {
      const [y, x] = [Math.floor(i / w), i % w];
      let d = -down[i]! - across[i]!;
      if (y > 0) d += down[i - w]!;
      if (x > 0) d += across[i - 1]!;
      return v + d;
    });
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < h * w; i++) {
      const [y, x] = [Math.floor(i / w), i % w];
      const gy = y < h - 1 ? out[i + w]! - out[i]! : 0;
      const gx = x < w - 1 ? out[i + 1]! - out[i]! : 0;
      const scale = 1 + (Math.hypot(gy, gx) * 0.25) / weight;
      down[i] = (down[i]! - 0.25 * gy) / scale;
      across[i] = (across[i]! - 0.25 * gx) / scale;
    }
    out = divergence();
  }
  return out;
}

/** `½‖u − x‖² + weight · TV(u)`. */
function energy(u: readonly number[], x: ArrayLike<number>, side: number, weight: number): number {
  return u.reduce((sum, v, i) => {
    const gy = i + side < u.length ? u[i + side]! - v : 0;
    const gx = i % side < side - 1 ? u[i + 1]! - v : 0;
    return sum + (v - x[i]!) ** 2 / 2 + weight * Math.hypot(gy, gx);
  }, 0);
}
