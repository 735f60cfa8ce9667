import { GlacisError } from '../../core/error.ts';

/** Scores of a classifier with the truth. */
export interface Scored {
  /** `[n, classes]`, row-major; of a binary model `[n, 1]`, positive for class 1. */
  readonly logits: Float32Array;
  /** The right classes, `[n]`, 0 … classes − 1; of a binary model 0 or 1. */
  readonly labels: ArrayLike<number>;
  readonly classes: number;
}

/** What a model says of each sample; arrays of length n, in float64. */
export interface Confidences {
  readonly n: number;
  /** Probability of the class that it answers. */
  readonly answered: Float64Array;
  /** Probability of the right class. */
  readonly right: Float64Array;
  /** Log of the probability of the right class. */
  readonly logRight: Float64Array;
  /** 1 where the answer is right. */
  readonly correct: Uint8Array;
  /** Σ over classes of (probability − truth)². */
  readonly squared: Float64Array;
}

/** `[n, 2]` for the one logit of a binary model: 0 for class 0. */
export function twoSided({ logits, labels, classes }: Scored): Scored {
  if (classes !== 1) return { logits, labels, classes };
  const both = new Float32Array(2 * logits.length);
  for (const [i, z] of logits.entries()) both[2 * i + 1] = z;
  return { logits: both, labels, classes: 2 };
}

/**
 * Softmax at `temperature`, read against the labels. Errors: `data/mismatch` where logits and labels do not fit each other or are not
 * finite.
 */
export function confidencesOf(scored: Scored, temperature = 1): Confidences {
  const { logits, labels, classes } = twoSided(scored);
  const n = labels.length;
  if (logits.length !== n * classes)
    throw new GlacisError(
      'data/mismatch',
      `logits: expected ${classes} for each of ${n} labels, got ${logits.length} in all`,
    );
  const out: Confidences = {
    n,
    answered: new Float64Array(n),
    right: new Float64Array(n),
    logRight: new Float64Array(n),
    correct: new Uint8Array(n),
    squared: new Float64Array(n),
  };
  for (let i = 0; i < n; i++) {
    const row = Float64Array.from(logits.subarray(i * classes, (i + 1) * classes), (z) => z / temperature);
    const label = labels[i]!;
    if (!row.every(Number.isFinite) || !(label in row))
      throw new GlacisError(
        'data/mismatch',
        `sample ${i}: expected finite logits and a label below ${classes}, got others`,
      );
    let best = 0;
    for (let k = 1; k < classes; k++) if (row[k]! > row[best]!) best = k;
    const top = row[best]!;
    const total = Math.log(row.reduce((sum, z) => sum + Math.exp(z - top), 0));
    out.answered[i] = Math.exp(-total);
    out.logRight[i] = row[label]! - top - total;
    out.right[i] = Math.exp(out.logRight[i]!);
    out.correct[i] = best === label ? 1 : 0;
    for (let k = 0; k < classes; k++)
      out.squared[i]! += (Math.exp(row[k]! - top - total) - (k === label ? 1 : 0)) ** 2;
  }
  return out;
}
