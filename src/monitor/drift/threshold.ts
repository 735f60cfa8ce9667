import { chiSquareQuantile } from '../statistics/gamma.ts';

/** How far scores of calm windows reach, beyond which they thin out exponentially. */
export interface Tail {
  /** Score from which the tail begins, and the share of calm windows above. */
  readonly from: number;
  readonly share: number;
  /** Mean excess above it: its 95 % upper bound. */
  readonly scale: number;
}

/** The share of windows of which a tail is learnt, the fewest above it, and the fewest windows. */
const UPPER = 0.2;
const FEWEST_ABOVE = 5;
export const FEWEST_WINDOWS = 25;

/**
 * Learns the tail of calm scores: the upper fifth, as an exponential with the 95 % upper bound of its scale (which is right for p-values of independent rows, and for many sums of
 * dependent ones; a heavier tail gives more false alarms than asked for, which is why they are counted on other calm windows). Undefined for fewer than 25 windows.
 */
export function tailOf(scores: readonly number[]): Tail | undefined {
  if (scores.length < FEWEST_WINDOWS) return undefined;
  const sorted = [...scores].sort((a, b) => b - a);
  const above = Math.max(FEWEST_ABOVE, Math.floor(UPPER * scores.length));
  const from = sorted[above]!;
  let sum = 0;
  for (let i = 0; i < above; i++) sum += sorted[i]! - from;
  // 2 Σ excess / scale is χ² with 2k degrees of freedom.
  const scale = (2 * sum) / chiSquareQuantile(0.05, 2 * above);
  return { from, share: above / scores.length, scale };
}

/** The score that a calm window exceeds with at most the probability `level`: by theory for independent rows, and not below what calm windows showed. */
export function thresholdAt(level: number, tail: Tail | undefined): number {
  const theory = -Math.log10(Math.min(1, Math.max(1e-300, level)));
  if (tail === undefined) return theory;
  return Math.max(theory, tail.from + tail.scale * Math.log(Math.max(1, tail.share / level)));
}
