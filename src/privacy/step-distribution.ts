import { GlacisError } from '../core/error.ts';
import type { Grid } from './grid.ts';
import { normalTail } from './normal-tail.ts';
import type { PrivateRun } from './private-run.ts';
import { type Direction, lossOfStep } from './subsampled-gaussian.ts';
import { placesWithin } from './tilted-sum.ts';

/** The privacy loss of one step, on a grid and never better than it is. */
export interface StepDistribution {
  /** The loss of `mass[0]`, in steps of the grid. */
  readonly first: number;
  /** Probability of each loss on the grid. */
  readonly mass: Float64Array;
  /** Probability of an infinite loss: what was cut off at the upper end. */
  readonly infinite: number;
  /** Probability of all that was cut off, at both ends. */
  readonly cutOff: number;
  /** The largest |loss| on the grid. */
  readonly largest: number;
}

/** Nodes and weights of Gauss and Legendre's rule with three nodes, on [−½, ½]. */
const NODES = [-Math.sqrt(0.15), 0, Math.sqrt(0.15)] as const;
const WEIGHTS = [5 / 18, 8 / 18, 5 / 18] as const;

/** Widest panel, relative to the length in which the density changes by a factor e: the rule's error is then below 1e-15. */
const PANEL = 0.03;

/**
 * Puts the privacy loss of one step of `run` on `grid` by connecting the dots (Doroshenko et al. 2022, "Connect the dots:
 * tighter discrete approximations of privacy loss distributions"): what lies between two losses of the grid is shared
 * between them so that its probability on both data sets stays the same. The result's curve of delta over e^epsilon touches
 * the true one at the grid and is a chord of that convex curve in between. Sound because the curve lies nowhere below the
 * true one, and composition keeps that.
 *
 * We integrate over the step's outcome, node by node, and share each node's probability. The paper takes second differences
 * of delta instead, which costs digits that a million compositions would miss.
 *
 * Cost: three densities for each place of the grid.
 */
export function stepDistribution(
  { rate, noise }: PrivateRun,
  direction: Direction,
  { h, reach }: Pick<Grid, 'h' | 'reach'>,
): StepDistribution {
  const step = lossOfStep(rate, noise, direction);
  const [low, high] = placesWithin(noise, direction, reach);
  const lowest = Math.floor(step.lossAt(low) / h);
  const highest = Math.max(lowest + 1, Math.ceil(step.lossAt(high) / h));
  const mass = new Float64Array(highest - lowest + 1);
  const variance = noise * noise;
  const whole = -Math.expm1(-h);
  let from = low;
  for (let cell = 0; from < high; cell++) {
    const last = cell + 2 >= mass.length;
    const to = last ? high : Math.min(high, Math.max(from, step.placeOf((lowest + cell + 1) * h)));
    const lower = (lowest + cell) * h;
    while (from < to) {
      const panel = PANEL * Math.min(variance, variance / (Math.abs(from) + 1 + noise));
      const end = Math.min(to, from + panel);
      const width = end - from;
      for (let k = 0; k < 3; k++) {
        const s = from + (0.5 + NODES[k]!) * width;
        const share = Math.exp(step.logDensity(s)) * WEIGHTS[k]! * width;
        // Both probabilities are kept: a + b = share and a e^(−lower) + b e^(−upper) = share e^(−loss).
        const up = Math.min(1, Math.max(0, -Math.expm1(lower - step.lossAt(s)) / whole));
        mass[cell]! += share * (1 - up);
        mass[cell + 1]! += share * up;
      }
      // A panel too narrow for doubles ends the cell.
      from = end > from ? end : to;
    }
    if (last) break;
  }
  const [below, infinite] = tails(rate, noise, direction, low, high);
  // Sound because a loss below the grid is taken for one at the first place above it.
  mass[1]! += below;
  let sum = infinite;
  for (let i = 0; i < mass.length; i++) sum += mass[i]!;
  if (!(Math.abs(sum - 1) < 1e-11))
    throw new GlacisError(
      'privacy/precision',
      `a step with rate ${rate} and noise ${noise}: expected probabilities that add up to 1, got ${sum}`,
    );
  const largest = Math.max(Math.abs(lowest * h), Math.abs(highest * h));
  return { first: lowest, mass, infinite, cutOff: below + infinite, largest };
}

/** Probabilities of the places below `low` and above `high`. */
function tails(
  q: number,
  sigma: number,
  direction: Direction,
  low: number,
  high: number,
): readonly [number, number] {
  if (direction === 'add') return [normalTail(-low / sigma), normalTail(high / sigma)].map(slack) as never;
  const beyond = (a: number, b: number) => slack((1 - q) * normalTail(a) + q * normalTail(b));
  return [beyond(-low / sigma, (1 - low) / sigma), beyond(high / sigma, (high - 1) / sigma)];
}

/** A little more, for the rounding of {@link normalTail}. */
function slack(probability: number): number {
  return probability * (1 + 1e-12);
}
