import { chiSquareTail } from './gamma.ts';

/** Counts of answers by their confidence; bin k of K holds confidences in (k/K, (k + 1)/K]. */
export interface ConfidenceCounts {
  readonly n: Float64Array;
  /** Sums of confidences. */
  readonly confidence: Float64Array;
  /** How many were right. */
  readonly right: Float64Array;
}

/** Empty counts. */
export function confidenceCounts(bins: number): ConfidenceCounts {
  return { n: new Float64Array(bins), confidence: new Float64Array(bins), right: new Float64Array(bins) };
}

/** Adds an answer. `confidence` is in [0, 1]. */
export function countConfidence(
  { n, confidence, right }: ConfidenceCounts,
  said: number,
  isRight: boolean,
): void {
  const k = Math.min(n.length - 1, Math.max(0, Math.ceil(said * n.length) - 1));
  n[k]!++;
  confidence[k]! += said;
  if (isRight) right[k]!++;
}

/** Expected calibration error: how far confidence and accuracy are apart, on average over answers. */
export interface CalibrationError {
  readonly n: number;
  readonly ece: number;
  /** Covers the error that infinitely many such answers would show in the same bins. */
  readonly interval: readonly [low: number, high: number];
}

/**
 * The expected calibration error over bins of equal width, with an interval that holds for every sample size, given the confidences.
 *
 * Sound because, given the confidences, the error moves by at most 1/n when one answer turns out otherwise, so it lies within √(ln(2/α) / 2n) of its mean (McDiarmid), and its
 * mean within Σ (n_k/n) · 1/(2√n_k) of the true figure (Jensen, per bin). The published figure is biased upwards by about as much; that is why the low end can be 0.
 *
 * @see Naeini et al. 2015; Kumar, Liang and Ma 2019, "Verified uncertainty calibration" (the bias)
 */
export function calibrationError(counts: ConfidenceCounts, level = 0.95): CalibrationError {
  const n = sum(counts.n);
  if (n === 0) return { n, ece: 0, interval: [0, 1] };
  let [ece, blur] = [0, 0];
  for (let k = 0; k < counts.n.length; k++) {
    ece += Math.abs(counts.right[k]! - counts.confidence[k]!) / n;
    blur += Math.sqrt(counts.n[k]!) / (2 * n);
  }
  const arm = blur + Math.sqrt(Math.log(2 / (1 - level)) / (2 * n));
  return { n, ece, interval: [Math.max(0, ece - arm), Math.min(1, ece + arm)] };
}

/** Answers that a bin needs on both sides. */
const LEAST = 8;

/**
 * Whether two sets of answers are off by the same amounts: per bin the gap accuracy − confidence of both, its difference in standard errors, squares summed, against χ². The errors are those of
 * answers that are both off by the gap they have together (a score test; two right and two wrong answers are added, so that errors do not vanish where all are right): a window's own accuracy
 * would make its errors smaller the more it strays, and small p came two to three times as often as they say. Bins with fewer than 8 answers on a side are put together with the next. p is approximate.
 *
 * @see Agresti & Coull 1998, "Approximate is better than 'exact' for interval estimation of binomial proportions"
 */
export function calibrationShift(
  first: ConfidenceCounts,
  second: ConfidenceCounts,
): { readonly statistic: number; readonly p: number } {
  let [statistic, freedom] = [0, 0];
  let [a, b] = [empty(), empty()];
  for (let k = 0; k < first.n.length; k++) {
    a = joined(a, first, k);
    b = joined(b, second, k);
    if (a.n < LEAST || b.n < LEAST) continue;
    const gap = (a.right - a.confidence) / a.n - (b.right - b.confidence) / b.n;
    const shared = (a.right - a.confidence + b.right - b.confidence) / (a.n + b.n);
    statistic += gap ** 2 / (variance(a, shared) + variance(b, shared));
    freedom++;
    [a, b] = [empty(), empty()];
  }
  return { statistic, p: freedom === 0 ? 1 : chiSquareTail(statistic, freedom) };
}

interface Bin {
  readonly n: number;
  readonly right: number;
  readonly confidence: number;
}
const empty = (): Bin => ({ n: 0, right: 0, confidence: 0 });
const joined = ({ n, right, confidence }: Bin, more: ConfidenceCounts, k: number): Bin => ({
  n: n + more.n[k]!,
  right: right + more.right[k]!,
  confidence: confidence + more.confidence[k]!,
});
/** Of the share that is right where accuracy and confidence are this gap apart, with two right and two wrong answers added. */
function variance({ n, confidence }: Bin, gap: number): number {
  const right = Math.min(n, Math.max(0, confidence + n * gap));
  const p = (right + 2) / (n + 4);
  return (p * (1 - p)) / n;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
