import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { defineDetector } from '../detector.ts';
import { likeliest } from '../likeliest.ts';
import { MOST_PACKED, packedFloats } from '../packed-floats.ts';
import { dot, dotWide } from './dot.ts';
import { featuresOf } from './mahalanobis.ts';
import { sketchFor } from './sketch.ts';

/** Calm samples that are kept for comparison, all classes together, and of one class at least. */
const BANK = 1000;
const LEAST = 20;
/** Which neighbour counts. */
const NEIGHBOUR = 5;

const kept = z.strictObject({
  features: z.number().int().min(1),
  neighbour: z.number().int().min(1).max(100),
  /** Samples of each class, as the model predicts it; their features, of length 1, follow one another by class. */
  counts: z.array(z.number().int().min(0)).max(2 ** 20),
  bank: packedFloats(),
});

type Kept = z.output<typeof kept>;

/**
 * How far the last layer's features are from those of calm samples of the class that the model predicts: one less the cosine to the k-th nearest of a bounded
 * bank (Sun et al. 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors"). The paper looks among all classes; measured on the development part of
 * bench/ours/guards, the predicted one alone finds twice as many attacked digits for a tenth of the work. A class with fewer calm samples than k has no score.
 * Cost: `bank · features / classes` products a sample.
 */
export const nearestFeatures = defineDetector<Kept>({
  id: 'nearest-features',
  needs: 'features',
  kept,
  fit({ n, scores, features }, watched) {
    const width = featuresOf(watched);
    const { width: short, sketch } = sketchFor(width);
    const room = Math.max(LEAST, Math.floor(BANK / watched.classes));
    const rows = Array.from({ length: watched.classes }, (): Float32Array[] => []);
    const predicted = likeliest(scores, n, watched.classes);
    let free = Math.floor(MOST_PACKED / short);
    for (let i = 0; i < n && free > 0; i++) {
      const own = rows[predicted[i]!]!;
      if (own.length >= room) continue;
      const row = new Float32Array(short);
      sketch(features!, i * width, row);
      if (!normalise(row)) continue;
      own.push(row);
      free--;
    }
    const counts = rows.map(({ length }) => length);
    if (!counts.some((count) => count >= NEIGHBOUR))
      throw new GlacisError(
        'data/mismatch',
        `nearest-features: expected at least ${NEIGHBOUR} calm samples of some class, got fewer of each`,
      );
    const bank = new Float32Array(rows.flat().length * short);
    for (const [i, row] of rows.flat().entries()) bank.set(row, i * short);
    return { features: width, neighbour: NEIGHBOUR, counts, bank };
  },
  open({ features: known, neighbour, counts, bank }, watched) {
    const width = featuresOf(watched);
    const { width: short, sketch } = sketchFor(width);
    const starts = [0];
    for (const count of counts) starts.push(starts.at(-1)! + count);
    if (known !== width || counts.length !== watched.classes || bank.length !== starts.at(-1)! * short)
      throw new GlacisError(
        'option/invalid',
        `nearest-features: expected a calibration for ${width} features and ${watched.classes} classes, got one for ${known} and ${counts.length}`,
      );
    const row = new Float32Array(short);
    const wide = new Float64Array(short);
    const best = new Float64Array(neighbour);
    return ({ n, features, scores }) => {
      const predicted = likeliest(scores, n, watched.classes);
      const distances = new Float64Array(n).fill(Number.NaN);
      for (let i = 0; i < n; i++) {
        const k = predicted[i]!;
        if (counts[k]! < neighbour) continue;
        sketch(features!, i * width, row);
        if (!normalise(row)) continue;
        wide.set(row);
        best.fill(-2);
        for (let at = starts[k]!; at < starts[k + 1]!; at++)
          insert(best, dotWide(bank, at * short, wide, short));
        distances[i] = 1 - best[neighbour - 1]!;
      }
      return distances;
    };
  },
});

/** Scales a row to length 1; false where it has none. */
function normalise(row: Float32Array): boolean {
  const length = Math.sqrt(dot(row, 0, row, 0, row.length));
  if (!(length > 0 && length < Number.POSITIVE_INFINITY)) return false;
  for (let i = 0; i < row.length; i++) row[i]! /= length;
  return true;
}

/** Puts a value where it belongs among the greatest, which are in falling order. */
function insert(greatest: Float64Array, value: number): void {
  let at = greatest.length - 1;
  if (!(value > greatest[at]!)) return;
  for (; at > 0 && value > greatest[at - 1]!; at--) greatest[at] = greatest[at - 1]!;
  greatest[at] = value;
}
