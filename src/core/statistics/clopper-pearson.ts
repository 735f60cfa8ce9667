import { inverseIncompleteBeta } from './beta.ts';
import { requireConfidence, requireCounts } from './counts.ts';

/**
 * The Clopper-Pearson interval for a proportion: `[low, high]`, both in [0, 1], of `successes` out of `n` trials. It is
 * exact: whatever the true proportion, the interval covers it at least as often as `confidence` says (usually more
 * often, which is its price). Its low end is 0 without a success, its high end 1 without a failure. Without trials
 * nothing is known: `[0, 1]`.
 *
 * @param successes whole number between 0 and `n`
 * @param n whole number of trials, 0 to 10⁹
 * @param confidence between 0 and 1
 * @throws GlacisError `option/invalid` for anything else
 * @see Clopper and Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of the binomial",
 *   Biometrika 26
 * @example
 * clopperPearson(674, 1000); // [0.643…, 0.703…]
 */
export function clopperPearson(successes: number, n: number, confidence = 0.95): [number, number] {
  requireCounts('clopperPearson', successes, n);
  requireConfidence('clopperPearson', confidence);
  return [lowEnd(successes, n, confidence), 1 - lowEnd(n - successes, n, confidence)];
}

/** The proportion at which `k` successes or more have the probability (1 − confidence) / 2; the high end by symmetry. */
function lowEnd(k: number, n: number, confidence: number): number {
  return k === 0 ? 0 : inverseIncompleteBeta(k, n - k + 1, (1 - confidence) / 2);
}
