import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import type { Rng } from '../../../src/core/random.ts';
import { SHARED } from '../../places.ts';

/** Pictures of 28 × 28 in 0–1 with their labels. */
export interface Pictures {
  readonly n: number;
  readonly x: Float32Array;
  readonly y: Uint8Array;
}

/** Elements of a digit. */
export const DIGIT = 784;

/** The digits that the victim was trained on (`train`) or not (`t10k`). */
export function digits(part: 'train' | 't10k'): Pictures {
  const at = (name: string) =>
    gunzipSync(readFileSync(join(SHARED, 'data', 'mnist', `${part}-${name}-ubyte.gz`)));
  const pixels = at('images-idx3').subarray(16);
  return {
    n: pixels.length / DIGIT,
    x: Float32Array.from(pixels, (v) => v / 255),
    y: Uint8Array.from(at('labels-idx1').subarray(8)),
  };
}

/** Natural pictures of something else: CIFAR-10's training part, grey, its middle 28 × 28. */
export function naturalPictures(): Pictures {
  const archive = unzipSync(readFileSync(join(SHARED, 'data', 'cifar10', 'train.npz')));
  const bytes = archive['x.npy']!;
  const pixels = bytes.subarray(bytes.length - 10_000 * 3072);
  const x = new Float32Array(10_000 * DIGIT);
  for (let i = 0; i < 10_000; i++)
    for (let row = 0; row < 28; row++)
      for (let column = 0; column < 28; column++) {
        const from = i * 3072 + ((row + 2) * 32 + column + 2) * 3;
        x[i * DIGIT + row * 28 + column] =
          (0.299 * pixels[from]! + 0.587 * pixels[from + 1]! + 0.114 * pixels[from + 2]!) / 255;
      }
  return { n: 10_000, x, y: new Uint8Array(10_000) };
}

/** How a picture is moved. */
export interface Move {
  /** Radians. */
  readonly turn: number;
  readonly zoom: number;
  /** Pixels. */
  readonly right: number;
  readonly down: number;
}

/** Writes the picture `from` of `x` to `out`, turned and zoomed about its middle and shifted (bilinear; what comes from outside is 0). */
export function moved(
  x: Float32Array,
  from: number,
  { turn, zoom, right, down }: Move,
  out: Float32Array,
): void {
  const [c, s] = [Math.cos(turn) / zoom, Math.sin(turn) / zoom];
  const pixel = (row: number, column: number) =>
    row < 0 || row > 27 || column < 0 || column > 27 ? 0 : x[from * DIGIT + row * 28 + column]!;
  for (let row = 0; row < 28; row++)
    for (let column = 0; column < 28; column++) {
      const [v, u] = [row - 13.5 - down, column - 13.5 - right];
      const [y, z] = [c * v - s * u + 13.5, s * v + c * u + 13.5];
      const [y0, z0] = [Math.floor(y), Math.floor(z)];
      const [b, a] = [y - y0, z - z0];
      out[row * 28 + column] =
        (1 - b) * ((1 - a) * pixel(y0, z0) + a * pixel(y0, z0 + 1)) +
        b * ((1 - a) * pixel(y0 + 1, z0) + a * pixel(y0 + 1, z0 + 1));
    }
}

/** Adds normal noise within 0–1. */
export function noisy(out: Float32Array, sigma: number, rng: Rng): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.min(1, Math.max(0, out[i]! + sigma * rng.normal()));
}
