import { requireConfidence, requireCounts } from './counts.ts';
import { normalQuantile } from './normal.ts';
import { wilson } from './wilson.ts';

/** A difference of two proportions with an interval; all in [−1, 1]. */
export interface Difference {
  readonly difference: number;
  readonly interval: readonly [low: number, high: number];
}

/** How often two answers to the same questions are right; whole numbers of 0 or more. */
export interface PairedCounts {
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly neither: number;
}

/**
 * The second proportion minus the first, from pairs, with Newcombe's interval (method 10): each proportion's score
 * interval, joined as if they were independent but for the correlation φ that the pairs show. Without pairs nothing is
 * known: [−1, 1]. It is an approximation, so it may part from 0 where the exact test does not reject, and the reverse.
 *
 * @throws GlacisError `option/invalid` for counts that are none
 * @see Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions based on paired
 *   data", Statistics in Medicine 17, 2635–2650
 * @example
 * pairedDifference({ both: 59, onlyFirst: 16, onlySecond: 6, neither: 80 }); // −0.062, [−0.119, −0.005]
 */
export function pairedDifference(counts: PairedCounts, confidence = 0.95): Difference {
  const { both: e, onlyFirst: f, onlySecond: g, neither: h } = counts;
  const n = e + f + g + h;
  for (const part of [e, f, g, h]) requireCounts('pairedDifference', part, n);
  requireConfidence('pairedDifference', confidence);
  if (n === 0) return { difference: 0, interval: [-1, 1] };
  const margins = (e + f) * (g + h) * (e + g) * (f + h);
  const raw = e * h - f * g;
  // The correlation is drawn towards 0 by half a sample where it is positive.
  const phi = margins === 0 ? 0 : (raw > 0 ? Math.max(0, raw - n / 2) : raw) / Math.sqrt(margins);
  return joined([e + f, n], [e + g, n], phi, confidence);
}

/**
 * The second proportion minus the first, of samples that have nothing to do with each other, with Newcombe's hybrid
 * score interval. With no sample on a side nothing is known: [−1, 1].
 *
 * @param first successes and trials
 * @param second successes and trials
 * @throws GlacisError `option/invalid` for counts that are none
 * @see Newcombe 1998, "Interval estimation for the difference between independent proportions", Statistics in Medicine
 *   17, 873–890, method 10
 */
export function unpairedDifference(
  first: readonly [successes: number, n: number],
  second: readonly [successes: number, n: number],
  confidence = 0.95,
): Difference {
  for (const [successes, n] of [first, second]) requireCounts('unpairedDifference', successes, n);
  requireConfidence('unpairedDifference', confidence);
  if (first[1] === 0 || second[1] === 0) return { difference: 0, interval: [-1, 1] };
  return joined(first, second, 0, confidence);
}

/** θ = p₂ − p₁ with √(δ₂² − 2φ δ₂ δ₁ + δ₁²) on either side, where the δ are the arms of the two score intervals. */
function joined(
  [k1, n1]: readonly [number, number],
  [k2, n2]: readonly [number, number],
  phi: number,
  confidence: number,
): Difference {
  const z = normalQuantile((1 + confidence) / 2);
  const [p1, p2] = [k1 / n1, k2 / n2];
  const [low1, high1] = wilson(k1, n1, z);
  const [low2, high2] = wilson(k2, n2, z);
  const arm = (a: number, b: number) => Math.sqrt(Math.max(0, a * a - 2 * phi * a * b + b * b));
  const difference = k2 / n2 - k1 / n1;
  return {
    difference,
    interval: [
      Math.max(-1, difference - arm(p2 - low2, high1 - p1)),
      Math.min(1, difference + arm(high2 - p2, p1 - low1)),
    ],
  };
}
