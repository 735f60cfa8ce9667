import type { PrivateRun } from './private-run.ts';
import { type Direction, lossOfStep } from './subsampled-gaussian.ts';

/** Cumulants of a sum of privacy losses under exponential tilting, as far as planning needs them. */
export interface TiltedSum {
  /** `K(θ) = log E[e^(θS)]` and its first two derivatives: the tilted sum's mean and variance. */
  at(theta: number): Cumulants;
  /** The largest |loss| of one step within reach. */
  readonly largest: number;
}

/** `K(θ)`, `K′(θ)` and `K″(θ)`. */
export interface Cumulants {
  readonly log: number;
  readonly mean: number;
  readonly variance: number;
}

/** Losses of one step at evenly spaced places, with the log of each place's probability. */
interface Nodes {
  readonly losses: Float64Array;
  readonly logMass: Float64Array;
  readonly steps: number;
}

/**
 * Looks at the sum of the privacy losses of all steps of `runs`, each step cut off beyond `reach` standard deviations of its
 * noise. Only for choosing tilt, grid and window: no bound rests on its accuracy.
 */
export function tiltedSum(runs: readonly PrivateRun[], direction: Direction, reach: number): TiltedSum {
  const all = runs.map((run) => nodesOf(run, direction, reach));
  return {
    at(theta) {
      const sum = { log: 0, mean: 0, variance: 0 };
      for (const nodes of all) {
        const one = cumulants(nodes, theta);
        sum.log += nodes.steps * one.log;
        sum.mean += nodes.steps * one.mean;
        sum.variance += nodes.steps * one.variance;
      }
      return sum;
    },
    largest: Math.max(...all.map(({ losses }) => Math.max(-losses[0]!, losses.at(-1)!))),
  };
}

function nodesOf({ rate, noise, steps }: PrivateRun, direction: Direction, reach: number): Nodes {
  const step = lossOfStep(rate, noise, direction);
  const [low, high] = placesWithin(noise, direction, reach);
  const spacing = noise / Math.max(8, 3 / noise);
  const n = Math.ceil((high - low) / spacing) + 1;
  const losses = Float64Array.from({ length: n }, (_, i) => step.lossAt(low + i * spacing));
  const logMass = Float64Array.from(
    { length: n },
    (_, i) => step.logDensity(low + i * spacing) + Math.log(spacing),
  );
  return { losses, logMass, steps };
}

/** Where a step may be measured: `reach` standard deviations around the two values that it may have without noise. */
export function placesWithin(noise: number, direction: Direction, reach: number): readonly [number, number] {
  return direction === 'remove' ? [-reach * noise, 1 + reach * noise] : [-1 - reach * noise, reach * noise];
}

function cumulants({ losses, logMass }: Nodes, theta: number): Cumulants {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < losses.length; i++) most = Math.max(most, logMass[i]! + theta * losses[i]!);
  let [sum, first] = [0, 0];
  for (let i = 0; i < losses.length; i++) {
    const weight = Math.exp(logMass[i]! + theta * losses[i]! - most);
    sum += weight;
    first += weight * losses[i]!;
  }
  const mean = first / sum;
  let second = 0;
  for (let i = 0; i < losses.length; i++)
    second += Math.exp(logMass[i]! + theta * losses[i]! - most) * (losses[i]! - mean) ** 2;
  return { log: most + Math.log(sum), mean, variance: second / sum };
}
