import { type Rng, randomFrom } from '../../core/random.ts';
import type { Observations, Watched } from '../detector.ts';

/** A model of three classes over samples of 16 elements, whose features are the samples themselves, rectified. */
export const WATCHED: Watched = { sampleDims: [16], classes: 3, gives: 'logits', features: 16 };

const SIZE = 16;

/** What such a model says of samples. */
export function observed(x: Float32Array): Observations {
  const n = x.length / SIZE;
  const scores = new Float32Array(3 * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < 3; k++) for (let j = k; j < SIZE; j += 3) scores[3 * i + k]! += x[i * SIZE + j]!;
  return { n, x, scores, features: x.map((v) => Math.max(0, v)) };
}

/** `n` samples about one of three centres, all moved by `shift`. */
export function samples(n: number, rng: Rng, shift = 0): Float32Array {
  const x = new Float32Array(n * SIZE);
  for (let i = 0; i < n; i++) {
    const k = rng.integer(3);
    for (let j = 0; j < SIZE; j++)
      x[i * SIZE + j] = (j % 3 === k ? 2 : 0.5) + 0.5 * rng.normal() + (j < 4 ? shift : 0);
  }
  return x;
}

/** Calm clients. */
export function calmClients(count: number, n: number, seed: number): readonly Observations[] {
  return Array.from({ length: count }, (_, i) => observed(samples(n, randomFrom(seed, 'client', i))));
}
