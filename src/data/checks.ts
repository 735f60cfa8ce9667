import { GlacisError } from '../core/error.ts';
import type { Labels } from './dataset.ts';

/**
 * Throws `data/label-range` unless every label is a class number from 0 to `k` − 1; names the first that is not.
 * Regression targets (`Float32Array`) are refused with `data/mismatch`.
 */
export function checkLabels(labels: Labels, k: number): void {
  if (labels instanceof Float32Array) {
    throw new GlacisError(
      'data/mismatch',
      `labels: expected class numbers 0 to ${k - 1}, got regression targets; say task classification if they are classes`,
    );
  }
  const at = labels.findIndex((label) => label < 0 || label >= k);
  if (at >= 0) {
    throw new GlacisError(
      'data/label-range',
      `labels: expected class numbers 0 to ${k - 1}, got ${labels[at]} at sample ${at}`,
    );
  }
}

/**
 * Throws `data/not-finite` for the first NaN or infinity in `values`, naming sample and position.
 * `sampleSize` is the number of values of one sample; `numberOf(i)` the number in the data set of the i-th sample here.
 */
export function checkFinite(
  values: ArrayLike<number>,
  sampleSize: number,
  numberOf: (i: number) => number,
  where: string,
): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    const sample = numberOf(Math.floor(i / sampleSize));
    throw new GlacisError(
      'data/not-finite',
      `${where}: expected finite numbers, got NaN or infinity in sample ${sample} at position ${i % sampleSize}`,
    );
  }
}

/** The least and the greatest of `values`; `[Infinity, -Infinity]` when there are none. */
export function extent(values: ArrayLike<number>): [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}
