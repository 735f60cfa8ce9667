import type { Sighting } from '../../sighting.ts';
import { mismatch } from './mismatch.ts';
import { MOST_SAMPLES } from './tensor-samples.ts';

/** The likeliest class of a row of scores. Throws `data/mismatch` for another value. */
export function likeliest(row: unknown): readonly [label: number, score: number] {
  if (!Array.isArray(row) || row.length === 0 || !row.every((each) => typeof each === 'number'))
    throw mismatch('expected a row of scores, got something else');
  const scores = row as readonly number[];
  const best = scores.reduce((most, score, i) => (score > scores[most]! ? i : most), 0);
  return [best, scores[best]!];
}

/** The class that one answer says: a whole number is one, another number the score of the second of two, and a list a row of scores. Throws `data/mismatch` for another value. */
export function classOf(value: unknown): readonly [label: number, score: number] {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return [value, Number.NaN];
  if (typeof value === 'number') return value > 0.5 ? [1, value] : [0, 1 - value];
  return likeliest(value);
}

/** The likeliest class of each of the first {@link MOST_SAMPLES} of `n` samples, whose answers are parts of `data` of the same length. Undefined where they cannot be. Errors: those of {@link classOf}. */
export function classesIn(data: ArrayLike<unknown>, n: number): Sighting['top'] {
  const width = data.length / n;
  if (!(Number.isInteger(width) && width >= 1)) return undefined;
  return Array.from({ length: Math.min(n, MOST_SAMPLES) }, (_, i) =>
    classOf(width === 1 ? data[i] : Array.from({ length: width }, (_, element) => data[i * width + element])),
  );
}
