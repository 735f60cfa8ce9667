import type { Decision } from './decision.ts';
import type { GuardedInput } from './guard.ts';
import { likeliest } from './respond/likeliest.ts';
import type { Classifier } from './served-model.ts';

/** Samples whose likeliest class the log holds. */
const MOST_TOP = 64;
/** Bounds of latency buckets in milliseconds: finer would tell more than the log needs. */
const BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

/** Shape and statistics of the main input: enough to see drift, too little to see a person. NaN and infinities are left out. */
export function inputSummary(call: GuardedInput): Decision['input'] {
  const floats = call.floats();
  if (floats === undefined) return undefined;
  let count = floats.length;
  let [sum, squares, least, most] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < floats.length; i++) {
    const value = floats[i]!;
    sum += value;
    squares += value * value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  // NaN or an infinity somewhere: once more, without them.
  if (!Number.isFinite(sum)) {
    [count, sum, squares, least, most] = [0, 0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of floats) {
      if (!Number.isFinite(value)) continue;
      count++;
      sum += value;
      squares += value * value;
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  const shape = [call.n, ...(call.classifier?.sampleDims ?? [])];
  if (count === 0) return { shape, mean: 0, deviation: 0, least: 0, most: 0 };
  const mean = sum / count;
  return { shape, mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)), least, most };
}

/** The likeliest class of each sample of the first 64 and its probability: where the model gives logits, that of their softmax. */
export function topClasses(
  scores: Float32Array | undefined,
  n: number,
  gives: Classifier['gives'] | undefined,
): Decision['top'] {
  if (scores === undefined || n === 0 || scores.length % n !== 0) return undefined;
  const classes = scores.length / n;
  return Array.from({ length: Math.min(n, MOST_TOP) }, (_, row) => {
    const best = likeliest(scores, row * classes, classes);
    const most = scores[row * classes + best] ?? 0;
    if (gives !== 'logits') return [best, most] as const;
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp(scores[row * classes + k]! - most);
    // NaN where the model's answer holds one: JSON cannot.
    return [best, sum >= 1 ? 1 / sum : 0] as const;
  });
}

/** The bucket that a latency falls in: its upper bound in milliseconds. */
export function latencyBucket(milliseconds: number): number {
  return BUCKETS.find((bound) => milliseconds <= bound) ?? Number.MAX_SAFE_INTEGER;
}
