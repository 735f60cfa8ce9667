import type { Attack } from '../attack.ts';
import { projectOnto, widthOf } from '../ball-geometry.ts';
import { noiseFrom } from '../noise.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import { defineSampleAttack } from '../sample-attack.ts';
import { antithetic } from './antithetic.ts';

/** Options of SPSA. */
export interface SpsaOptions {
  readonly steps: number;
  /** Directions of one estimate, two points each. */
  readonly samples: number;
  /** How far the points are in each element, as a share of the bounds' width. */
  readonly delta: number;
  /** Learning rate of Adam, as a share of the bounds' width. */
  readonly learningRate: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/** Adam's constants. */
const [BETA1, BETA2, TINY] = [0.9, 0.999, 1e-8];

/**
 * Simultaneous perturbation stochastic approximation (Spall 1992) as an attack (Uesato et al. 2018): the margin's gradient from pairs of
 * points that differ by ±delta in every element, followed by Adam and projected. Where all answers of an estimate are equal
 * (rounded scores), delta doubles, up to eps.
 * Cost: `2 · samples + 1` answers a step, up to `queries`.
 */
export const spsa: Attack<SpsaOptions> = defineSampleAttack({
  id: 'spsa',
  title: 'Simultaneous perturbation (SPSA)',
  needs: 'scores',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1802.05666',
  use: 'Scores alone with many queries; the usual check for masked gradients.',
  defaults: { steps: 100, samples: 128, delta: 0.01, learningRate: 0.01, queries: 25700 },
  check(options) {
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'samples', 1);
    numberIn(options, 'delta', 0);
    numberIn(options, 'learningRate', 0);
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ steps, samples, queries }) => ({
    gradients: 0,
    evaluations: Math.min(queries, steps * (2 * samples + 1)),
  }),
  *talk(victim, { steps, samples, delta, learningRate }) {
    const { x0, size, ball, answers } = victim;
    const width = widthOf(ball.bounds);
    const estimate = antithetic(victim, samples, noiseFrom(victim.rng('directions')).signs);
    const x = x0.slice();
    const gradient = new Float32Array(size);
    const mean = new Float32Array(size);
    const square = new Float32Array(size);
    let radius = delta * width;
    for (let step = 1; step <= steps; step++) {
      yield* estimate(x, radius, gradient);
      if (gradient.every((v) => v === 0)) radius = Math.max(radius, Math.min(2 * radius, ball.eps));
      const [bias1, bias2] = [1 - BETA1 ** step, 1 - BETA2 ** step];
      for (let i = 0; i < size; i++) {
        // The derivative by the element: the differences' mean over twice the distance.
        const g = gradient[i]! / (2 * radius * samples);
        mean[i] = BETA1 * mean[i]! + (1 - BETA1) * g;
        square[i] = BETA2 * square[i]! + (1 - BETA2) * g * g;
        x[i]! += (learningRate * width * (mean[i]! / bias1)) / (Math.sqrt(square[i]! / bias2) + TINY);
      }
      projectOnto(ball, x, x0);
      yield* answers(x);
    }
  },
});
