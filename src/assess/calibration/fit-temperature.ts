import { GlacisError } from '../../core/error.ts';
import { type Scored, twoSided } from './confidences.ts';

/** The temperature that fits held-out samples best. */
export interface FittedTemperature {
  readonly temperature: number;
  /**
   * The best lies beyond the range that is looked at: the samples do not say how sure the model may be (it is right on all of them, say).
   */
  readonly atLimit: boolean;
}

/** Temperatures that are looked at: beyond them logits say nothing, or all. */
const COLDEST = 0.01;
const HOTTEST = 100;

/** Newton steps converge in a handful; bisection alone would need about 50. */
const STEPS = 100;

/**
 * The temperature that minimises the negative log-likelihood of `logits / T` on held-out samples (Guo et al. 2017). In β = 1/T the loss is
 * convex, with the slope `mean(E_p[z] − z_label)` and the curvature `mean(Var_p[z])`: Newton's method, with a bisection wherever a step
 * leaves the bracket.
 * Errors: `option/invalid` without samples. Cost: a pass over the logits for each of some ten steps.
 */
export function fitTemperature(scored: Scored): FittedTemperature {
  const { labels } = scored;
  if (labels.length === 0)
    throw new GlacisError('option/invalid', 'temperature: expected samples to fit it on, got none');
  const both = twoSided(scored);
  let [low, high] = [1 / HOTTEST, 1 / COLDEST];
  if (slopeAt(both, high).slope <= 0) return { temperature: COLDEST, atLimit: true };
  if (slopeAt(both, low).slope >= 0) return { temperature: HOTTEST, atLimit: true };
  let beta = 1;
  for (let step = 0; step < STEPS; step++) {
    const { slope, curvature } = slopeAt(both, beta);
    if (slope > 0) high = beta;
    else low = beta;
    const newton = beta - slope / curvature;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - beta) <= 1e-12 * beta) break;
    beta = next;
  }
  return { temperature: 1 / beta, atLimit: false };
}

function slopeAt({ logits, labels, classes }: Scored, beta: number) {
  let slope = 0;
  let curvature = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let [total, first, second] = [0, 0, 0];
    for (const z of row) {
      const weight = Math.exp(beta * (z - top));
      total += weight;
      first += weight * (z - top);
      second += weight * (z - top) ** 2;
    }
    const expected = first / total;
    slope += expected - (row[labels[i]!]! - top);
    curvature += second / total - expected ** 2;
  }
  return { slope: slope / labels.length, curvature: curvature / labels.length };
}
