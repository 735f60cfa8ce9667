/** A threshold for a stated rate of false alarms. */
export interface Threshold {
  /** At most this share of calm samples scores above the threshold. */
  readonly rate: number;
  readonly threshold: number;
  /** The threshold is the score of this rank, counted from 1 at the least, of `calm` scores. */
  readonly rank: number;
  readonly calm: number;
}

/** Fewest calm samples that allow a threshold for `rate`: below, no finite threshold can promise it. */
export function fewestFor(rate: number): number {
  return Math.ceil(1 / rate - 1e-9) - 1;
}

/**
 * The least threshold that promises a rate of false alarms (split conformal prediction; Vovk, Gammerman and Shafer 2005): the score of rank
 * `⌈(n + 1)(1 − rate)⌉` among `n` calm samples. A further calm sample scores above it with a probability of at most `rate`, whatever the scores'
 * distribution, because all ranks of the `n + 1` are equally likely; ties only lower it. That is a mean over calibrations: for one calibration the rate is
 * Beta(n + 1 − rank, rank) distributed about it. It holds for samples drawn as the calm ones were, and for no attacker.
 * `undefined` where there are fewer than {@link fewestFor} samples, or the score of that rank is not finite. NaN counts as the highest.
 */
export function thresholdFor(scores: ArrayLike<number>, rate: number): Threshold | undefined {
  const n = scores.length;
  const rank = n + 1 - Math.floor((n + 1) * rate + 1e-9);
  // NaN is sorted last; there is nothing beyond either end.
  const threshold = Float64Array.from(scores).sort()[rank - 1];
  return threshold !== undefined && Number.isFinite(threshold)
    ? { rate, threshold, rank, calm: n }
    : undefined;
}

/** How many scores are alarms: above the threshold, or no number. */
export function alarmsAmong(scores: ArrayLike<number>, threshold: number): number {
  let alarms = 0;
  for (let i = 0; i < scores.length; i++) if (!(scores[i]! <= threshold)) alarms++;
  return alarms;
}
