import { GlacisError } from '../error.ts';
import { binomialCdf } from './binomial.ts';
import { requireConfidence } from './counts.ts';

/** A median with an interval that assumes nothing about the distribution. */
export interface Median {
  /** The middle value, or the mean of the two in the middle; infinite when half of the values or more are. */
  readonly median: number;
  /** Two of the values; −∞ and ∞ where there are too few values to say anything. */
  readonly interval: readonly [low: number, high: number];
  /** The least probability with which such an interval covers the true median: `confidence` or more. */
  readonly coverage: number;
  /** How many values are known only to be larger than all that was tried (infinite). */
  readonly censored: number;
}

/**
 * The median of `values` with a confidence interval from order statistics: the r-th smallest to the r-th largest value,
 * with the largest r for which both tails of Binomial(n, ½) stay below (1 − confidence) / 2.
 *
 * A value may be ∞: a sample that no attack changed has a minimal norm beyond all that was tried, and it counts as such
 * (censored on the right) instead of being left out, which would make the median too small. Sound because only the order
 * of the values is used. The interval's high end may be ∞ while the median is finite.
 *
 * @throws GlacisError `option/invalid` without values, or for one that is NaN or −∞
 * @see David and Nagaraja 2003, "Order Statistics", section 7.1
 * @example
 * medianOf([0.31, 0.12, Infinity, 0.25, 0.4, 0.2, 0.27]); // median 0.27, interval [0.12, Infinity]
 */
export function medianOf(values: ArrayLike<number>, confidence = 0.95): Median {
  requireConfidence('medianOf', confidence);
  const n = values.length;
  const sorted = Float64Array.from(values).sort();
  // NaN sorts behind ∞.
  if (n === 0 || Number.isNaN(sorted[n - 1]) || sorted[0] === Number.NEGATIVE_INFINITY)
    throw new GlacisError(
      'option/invalid',
      `medianOf: expected numbers above −∞, got ${n === 0 ? 'none' : 'others'}`,
    );
  const median = (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2;
  const tail = (1 - confidence) / 2;
  // The largest r with P(X ≤ r − 1) ≤ tail; the probability grows with r.
  let [r, beyond] = [0, Math.ceil(n / 2) + 1];
  while (beyond - r > 1) {
    const middle = (r + beyond) >> 1;
    if (binomialCdf(middle - 1, n, 0.5) <= tail) r = middle;
    else beyond = middle;
  }
  const firstInfinite = sorted.indexOf(Number.POSITIVE_INFINITY);
  return {
    median,
    interval:
      r === 0 ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] : [sorted[r - 1]!, sorted[n - r]!],
    coverage: r === 0 ? 1 : 1 - 2 * binomialCdf(r - 1, n, 0.5),
    censored: firstInfinite < 0 ? 0 : n - firstInfinite,
  };
}
