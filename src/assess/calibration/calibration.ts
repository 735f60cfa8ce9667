import type { Confidences } from './confidences.ts';

/** Samples of similar confidence. */
export interface ConfidenceBin {
  /** Least and greatest confidence that belongs here. */
  readonly from: number;
  readonly to: number;
  readonly n: number;
  /** Means over the samples; 0 without any. */
  readonly confidence: number;
  readonly accuracy: number;
}

/** Whether a model is right as often as it says. */
export interface Calibration {
  readonly n: number;
  readonly accuracy: number;
  /** Mean probability of the answers. */
  readonly confidence: number;
  /** Mean negative log-likelihood of the right class, in nats. */
  readonly nll: number;
  /** Mean over samples of Σ over classes of (probability − truth)², 0 to 2. */
  readonly brier: number;
  /** Expected calibration error over bins of equal width. */
  readonly ece: number;
  /** The same over bins of equally many samples, which empty bins do not blur. */
  readonly eceEqualMass: number;
  /** Of equal width, for a reliability diagram. */
  readonly bins: readonly ConfidenceBin[];
}

/** As in Guo et al. 2017. */
export const BINS = 15;

/**
 * Accuracy against confidence. The expected calibration error is the mean over samples of |accuracy − confidence| of their bin (Naeini et
 * al. 2015); it is biased upwards in small samples.
 *
 * @see Guo et al. 2017, https://arxiv.org/abs/1706.04599; Brier 1950, Monthly Weather Review 78
 */
export function calibrationOf(said: Confidences, bins = BINS): Calibration {
  const { n, answered, correct, logRight, squared } = said;
  const wide = equalWidth(said, bins);
  return {
    n,
    accuracy: mean(correct),
    confidence: mean(answered),
    nll: n === 0 ? 0 : -mean(logRight),
    brier: mean(squared),
    ece: errorOf(wide, n),
    eceEqualMass: errorOf(equalMass(said, bins), n),
    bins: wide,
  };
}

/** Bin m of M holds confidences in ((m − 1)/M, m/M]. */
function equalWidth(said: Confidences, count: number): readonly ConfidenceBin[] {
  const members = Array.from({ length: count }, (): number[] => []);
  for (const [i, p] of said.answered.entries())
    members[Math.min(count - 1, Math.max(0, Math.ceil(p * count) - 1))]!.push(i);
  return members.map((samples, m) => binOf(said, samples, m / count, (m + 1) / count));
}

function equalMass(said: Confidences, count: number): readonly ConfidenceBin[] {
  const order = Array.from(said.answered.keys()).sort((a, b) => said.answered[a]! - said.answered[b]!);
  const ends = Array.from({ length: count + 1 }, (_, m) => Math.round((m * said.n) / count));
  return ends.slice(1).flatMap((end, m) => {
    const samples = order.slice(ends[m], end);
    if (samples.length === 0) return [];
    return [binOf(said, samples, said.answered[samples[0]!]!, said.answered[samples.at(-1)!]!)];
  });
}

function binOf(
  { answered, correct }: Confidences,
  samples: readonly number[],
  from: number,
  to: number,
): ConfidenceBin {
  return {
    from,
    to,
    n: samples.length,
    confidence: mean(samples.map((i) => answered[i]!)),
    accuracy: mean(samples.map((i) => correct[i]!)),
  };
}

function errorOf(bins: readonly ConfidenceBin[], n: number): number {
  return n === 0 ? 0 : bins.reduce((sum, b) => sum + (b.n / n) * Math.abs(b.accuracy - b.confidence), 0);
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return values.length === 0 ? 0 : sum / values.length;
}
