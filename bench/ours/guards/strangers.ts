import { join } from 'node:path';
import { randomFrom } from '../../../src/core/random.ts';
import { openDataset } from '../../../src/data/index.ts';
import { SHARED } from '../../places.ts';
import type { GuardSubject } from './subject.ts';

/** Inputs of no class, by name: `[n, …]` in the network's own form. */
export async function strangers(
  subject: GuardSubject,
  n: number,
): Promise<ReadonlyMap<string, Float32Array>> {
  const { size, calm, network, loaded } = subject;
  const rng = randomFrom(1, 'strangers', network);
  const of = (value: (i: number, sample: number) => number) =>
    Float32Array.from({ length: n * size }, (_, at) => value(at % size, Math.floor(at / size)));
  const clean = (i: number, sample: number) => calm.x[sample * size + i]!;
  const shuffled = new Float32Array(n * size);
  for (let sample = 0; sample < n; sample++) {
    const row = calm.x.slice(sample * size, (sample + 1) * size);
    for (let i = size - 1; i > 0; i--) {
      const j = rng.integer(i + 1);
      const other = row[j]!;
      row[j] = row[i]!;
      row[i] = other;
    }
    shuffled.set(row, sample * size);
  }
  return new Map([
    ['noise, even', of(() => rng.uniform())],
    ['noise on samples, deviation 0.5', of((i, s) => unit(clean(i, s) + 0.5 * rng.normal()))],
    ['samples inverted', of((i, s) => 1 - clean(i, s))],
    ['pixels shuffled', shuffled],
    ['other data', await otherData(network, n, loaded.adapted.shape)],
  ]);
}

const unit = (value: number): number => Math.min(1, Math.max(0, value));

/** Small photographs as grey digits' size, or digits as photographs. */
async function otherData(network: string, n: number, shape: readonly number[]): Promise<Float32Array> {
  const [channels, height, width] = shape as [number, number, number];
  const isDigits = !network.startsWith('cifar10');
  const path = isDigits
    ? join(SHARED, 'data', 'cifar10', 'test.npz')
    : join(SHARED, 'data', 'mnist', 't10k-images-idx3-ubyte.gz');
  const data = await openDataset(path);
  const bytes = (await data.read(0, n)) as Uint8Array;
  await data.close();
  const out = new Float32Array(n * channels * height * width);
  for (let s = 0, at = 0; s < n; s++)
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++, at++) {
          if (isDigits) {
            // The middle 28 × 28 of [32, 32, 3], its colours averaged.
            const from = ((s * 32 + y + 2) * 32 + x + 2) * 3;
            out[at] = (bytes[from]! + bytes[from + 1]! + bytes[from + 2]!) / 765;
          } else {
            const [iy, ix] = [y - 2, x - 2];
            const inside = iy >= 0 && iy < 28 && ix >= 0 && ix < 28;
            out[at] = inside ? bytes[(s * 28 + iy) * 28 + ix]! / 255 : 0;
          }
        }
  return out;
}
