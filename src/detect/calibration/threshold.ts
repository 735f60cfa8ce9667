/** A threshold for a stated rate of false alarms. */
export interface Threshold {
  /** At most this share of calm samples scores above the threshold. */
  readonly rate: number;
  readonly threshold: number;
  /** The threshold is the score of this rank, counted from 1 at the least, of `calm` scores. */
  readonly rank: number;
  readonly calm: number;
  /** Of how many calibrations the rate is promised; it is a mean over all of them without. */
  readonly confidence?: number;
}

/** Fewest calm samples that allow a threshold for `rate`: below, no finite threshold can promise it. `confidence` as in {@link thresholdFor}. */
export function fewestFor(rate: number, confidence?: number): number {
  return confidence === undefined
    ? Math.ceil(1 / rate - 1e-9) - 1
    : Math.ceil(Math.log(1 - confidence) / Math.log1p(-rate));
}

/**
 * The least threshold that promises a rate of false alarms: the score of rank `⌈(n + 1)(1 − rate)⌉` among `n` calm samples (split conformal prediction; Vovk,
 * Gammerman and Shafer 2005). A further calm sample scores above it with a probability of at most `rate`, whatever the scores' distribution, because all ranks of the
 * `n + 1` are equally likely; ties only lower it. That is a mean over calibrations: for one of them the rate is Beta(n + 1 − rank, rank) distributed about it.
 * With `confidence` the rank is higher: so that the rate of this calibration is at most `rate`, except in a share 1 − `confidence` of all calibrations (a one-sided tolerance
 * limit; Wilks 1941). Both hold for samples drawn as the calm ones were, and for no attacker.
 * `undefined` where there are fewer than {@link fewestFor} samples, or the score of that rank is not finite. NaN counts as the highest.
 */
export function thresholdFor(
  scores: ArrayLike<number>,
  rate: number,
  confidence?: number,
): Threshold | undefined {
  const n = scores.length;
  const rank =
    confidence === undefined
      ? n + 1 - Math.floor((n + 1) * rate + 1e-9)
      : n - mostAbove(n, rate, 1 - confidence);
  // NaN is sorted last; there is nothing beyond either end.
  const threshold = Float64Array.from(scores).sort()[rank - 1];
  if (threshold === undefined || !Number.isFinite(threshold)) return undefined;
  return { rate, threshold, rank, calm: n, ...(confidence !== undefined && { confidence }) };
}

/** The most of `n` samples that may lie above so that so few or fewer have a probability of at most `risk` at that rate; −1 where even none is more likely. */
function mostAbove(n: number, rate: number, risk: number): number {
  // P(X = k) for X ~ Binomial(n, rate), from k = 0 on.
  let log = n * Math.log1p(-rate);
  let sum = Math.exp(log);
  let k = 0;
  while (sum <= risk && k <= n) {
    k++;
    log += Math.log((n - k + 1) / k) + Math.log(rate) - Math.log1p(-rate);
    sum += Math.exp(log);
  }
  return k - 1;
}

/** How many scores are alarms: above the threshold, or no number. */
export function alarmsAmong(scores: ArrayLike<number>, threshold: number): number {
  let alarms = 0;
  for (let i = 0; i < scores.length; i++) if (!(scores[i]! <= threshold)) alarms++;
  return alarms;
}
