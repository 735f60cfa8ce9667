import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { defineDetector } from '../detector.ts';
import { likeliest } from '../likeliest.ts';
import { packedFloats } from '../packed-floats.ts';
import { dot } from './dot.ts';
import { featuresOf } from './mahalanobis.ts';
import { sketchFor } from './sketch.ts';

/** Calm samples that are kept for comparison, all classes together. */
const BANK = 1000;
/** Which neighbour counts. */
const NEIGHBOUR = 5;

const kept = z.strictObject({
  features: z.number().int().min(1),
  neighbour: z.number().int().min(1).max(100),
  bank: packedFloats(2 ** 22),
});

type Kept = z.output<typeof kept>;

/**
 * How far the last layer's features are from those of calm samples: one less the cosine to the k-th nearest of a bounded bank (Sun et al. 2022,
 * "Out-of-Distribution Detection with Deep Nearest Neighbors"). The bank holds as many samples of each predicted class as there is room for.
 * Cost: `bank · features` products a sample.
 */
export const nearestFeatures = defineDetector<Kept>({
  id: 'nearest-features',
  needs: 'features',
  kept,
  fit({ n, scores, features }, watched) {
    const width = featuresOf(watched);
    const { width: short, sketch } = sketchFor(width);
    const room = Math.max(1, Math.floor(BANK / watched.classes));
    const taken = new Uint32Array(watched.classes);
    const group = likeliest(scores, n, watched.classes);
    const rows: Float32Array[] = [];
    for (let i = 0; i < n; i++) {
      if (taken[group[i]!]! >= room) continue;
      const row = new Float32Array(short);
      sketch(features!, i * width, row);
      if (!normalise(row)) continue;
      taken[group[i]!]!++;
      rows.push(row);
    }
    if (rows.length < NEIGHBOUR)
      throw new GlacisError(
        'data/mismatch',
        `nearest-features: expected at least ${NEIGHBOUR} calm samples with features, got ${rows.length}`,
      );
    const bank = new Float32Array(rows.length * short);
    for (const [i, row] of rows.entries()) bank.set(row, i * short);
    return { features: width, neighbour: NEIGHBOUR, bank };
  },
  open({ features: known, neighbour, bank }, watched) {
    const width = featuresOf(watched);
    const { width: short, sketch } = sketchFor(width);
    const size = bank.length / short;
    if (known !== width || !Number.isInteger(size) || size < neighbour)
      throw new GlacisError(
        'option/invalid',
        `nearest-features: expected a calibration for ${width} features, got one for ${known}`,
      );
    const row = new Float32Array(short);
    const best = new Float64Array(neighbour);
    return ({ n, features }) => {
      const scores = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        sketch(features!, i * width, row);
        if (!normalise(row)) {
          scores[i] = Number.NaN;
          continue;
        }
        best.fill(-2);
        for (let at = 0; at < size; at++) insert(best, dot(bank, at * short, row, 0, short));
        scores[i] = 1 - best[neighbour - 1]!;
      }
      return scores;
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
