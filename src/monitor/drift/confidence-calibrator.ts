import { z } from 'zod';
import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';

/** How often answers of a score are right, from labelled calm answers: steps that never fall. */
export const calibratorSchema = z.strictObject({
  /** Lower bounds of the steps, the first −∞ (left out). */
  bounds: z.array(z.number()).max(64),
  /** Answers of each step and how many of them were right; one more than bounds. */
  n: z.array(z.number().min(0)).min(1).max(65),
  right: z.array(z.number().min(0)).min(1).max(65),
});

/** See {@link calibratorSchema}. */
export type ConfidenceCalibrator = z.output<typeof calibratorSchema>;

/** Answers of a step before neighbours are joined. */
const PER_STEP = 50;
const STEPS = 20;

/**
 * Learns how often answers are right, by their score: up to 20 steps of equally many answers; neighbours that fall are joined (pool adjacent violators), because a surer answer is not less often
 * right. Works for probabilities, rounded ones and logits alike. Undefined for fewer than 100 answers.
 *
 * @see Zadrozny & Elkan 2002, "Transforming classifier scores into accurate multiclass probability estimates"
 */
export function fitCalibrator(
  answers: readonly { readonly score: number; readonly isRight: boolean }[],
): ConfidenceCalibrator | undefined {
  const sorted = answers.filter(({ score }) => Number.isFinite(score)).sort((a, b) => a.score - b.score);
  if (sorted.length < 2 * PER_STEP) return undefined;
  const steps = Math.min(STEPS, Math.floor(sorted.length / PER_STEP));
  const pools: { from: number; n: number; right: number }[] = [];
  let at = 0;
  for (let k = 1; k <= steps && at < sorted.length; k++) {
    let end = Math.max(at + 1, Math.round((k * sorted.length) / steps));
    // Equal scores belong together.
    while (end < sorted.length && sorted[end]!.score === sorted[end - 1]!.score) end++;
    const part = sorted.slice(at, end);
    pools.push({ from: part[0]!.score, n: part.length, right: part.filter(({ isRight }) => isRight).length });
    at = end;
    while (pools.length > 1) {
      const [before, last] = [pools.at(-2)!, pools.at(-1)!];
      if (before.right / before.n <= last.right / last.n) break;
      pools.splice(-2, 2, { from: before.from, n: before.n + last.n, right: before.right + last.right });
    }
  }
  return {
    bounds: pools.slice(1).map(({ from }) => from),
    n: pools.map(({ n }) => n),
    right: pools.map(({ right }) => right),
  };
}

/** The step of a score. */
export function stepOf({ bounds }: ConfidenceCalibrator, score: number): number {
  let k = 0;
  while (k < bounds.length && score >= bounds[k]!) k++;
  return k;
}

/** How accurate answers are estimated to be without a label, with an interval. */
export interface Estimate {
  readonly n: number;
  readonly accuracy: number;
  readonly interval: readonly [low: number, high: number];
}

/**
 * The accuracy of answers of which only the scores are known: each counts as much as labelled calm answers of its step were right. The interval holds the mean over infinitely many answers
 * with these scores with 95 %, if a score still means what it meant: each step has its exact interval at a level shared among them (Bonferroni).
 *
 * @param counts answers of each step
 */
export function estimateAccuracy({ n, right }: ConfidenceCalibrator, counts: ArrayLike<number>): Estimate {
  let [total, sum, low, high] = [0, 0, 0, 0];
  for (let k = 0; k < n.length; k++) {
    const count = counts[k] ?? 0;
    const [from, to] = clopperPearson(right[k]!, n[k]!, 1 - 0.05 / n.length);
    total += count;
    sum += count * (right[k]! / n[k]!);
    low += count * from;
    high += count * to;
  }
  if (total === 0) return { n: 0, accuracy: 0, interval: [0, 1] };
  return { n: total, accuracy: sum / total, interval: [low / total, high / total] };
}
