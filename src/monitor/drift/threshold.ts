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

/** The score that the tail exceeds with this probability. */
function reachOf({ from, share, scale }: Tail, level: number): number {
  return from + scale * Math.log(Math.max(1, share / level));
}

/** That of several tails which asks for most at the level. */
export function highestTail(tails: readonly (Tail | undefined)[], level: number): Tail | undefined {
  return tails
    .filter((tail) => tail !== undefined)
    .reduce<Tail | undefined>(
      (most, tail) => (most && reachOf(most, level) >= reachOf(tail, level) ? most : tail),
      undefined,
    );
}

/** The score that a calm window exceeds with at most the probability `level`: by theory for independent rows (`looks` at a window, of which the highest counts), and not below what calm windows showed. */
export function thresholdAt(level: number, tail: Tail | undefined, looks = 1): number {
  const theory = -Math.log10(Math.min(1, Math.max(1e-300, level / looks)));
  if (tail === undefined) return theory;
  return Math.max(theory, reachOf(tail, level));
}
