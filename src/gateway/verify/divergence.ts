import { GlacisError } from '../../core/error.ts';
import type { Scores } from '../output-guard.ts';
import { likeliest } from '../respond/likeliest.ts';
import { asProbabilities } from '../respond/probabilities.ts';
import type { Measure } from './config-schema.ts';

/** How far two answers to one sample are apart, 0 to 1: probabilities of as many classes from `at` on. */
type Distance = (a: Float32Array, b: Float32Array, at: number, classes: number) => number;

const DISTANCES: Readonly<Record<Measure, Distance>> = {
  label: (a, b, at, classes) => (likeliest(a, at, classes) === likeliest(b, at, classes) ? 0 : 1),
  /** ½ Σ [a log₂(a/m) + b log₂(b/m)] with m = (a + b)/2 (Lin 1991), in bits. */
  'jensen-shannon'(a, b, at, classes) {
    let sum = 0;
    for (let k = at; k < at + classes; k++) {
      const [p, q] = [a[k]!, b[k]!];
      const m = (p + q) / 2;
      if (p > 0) sum += p * Math.log2(p / m);
      if (q > 0) sum += q * Math.log2(q / m);
    }
    return Math.min(1, Math.max(0, sum / 2));
  },
  score(a, b, at, classes) {
    let most = 0;
    for (let k = at; k < at + classes; k++) most = Math.max(most, Math.abs(a[k]! - b[k]!));
    return Math.min(1, most);
  },
};

/**
 * How far two models' answers to the same samples are apart: one number from 0 to 1 a sample. Logits become probabilities first.
 * Errors: `data/mismatch` where the answers have other shapes or are not numbers: what cannot be compared does not agree.
 */
export function divergences(measure: Measure, first: Scores, second: Scores): Float64Array {
  const { n, classes } = first;
  const [a, b] = [asProbabilities(first), asProbabilities(second)];
  if (second.n !== n || second.classes !== classes || a.values.length !== b.values.length)
    throw new GlacisError(
      'data/mismatch',
      `verification: expected ${n} × ${classes} scores, got ${second.n} × ${second.classes}`,
    );
  for (const { values } of [a, b])
    for (const value of values)
      if (!Number.isFinite(value))
        throw new GlacisError('data/mismatch', 'verification: expected finite scores, got others');
  const distance = DISTANCES[measure];
  return Float64Array.from({ length: n }, (_, row) => distance(a.values, b.values, row * classes, classes));
}
