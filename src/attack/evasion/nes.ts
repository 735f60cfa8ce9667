import type { Attack } from '../attack.ts';
import { projectOnto, steepest, widthOf } from '../ball-geometry.ts';
import { noiseFrom } from '../noise.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import { defineSampleAttack } from '../sample-attack.ts';
import { antithetic } from './antithetic.ts';

/** Options of the attack by natural evolution strategies. */
export interface NesOptions {
  /** Points of one estimate, two for each direction. */
  readonly samples: number;
  /** Deviation of the points, as a share of the bounds' width. */
  readonly sigma: number;
  /** Length of a step as a share of eps; halved where the mean margin has not fallen for `plateauLength` steps, down to `leastStep`. */
  readonly relativeStep: number;
  readonly leastStep: number;
  readonly plateauLength: number;
  /** What is kept of the gradients before. */
  readonly momentum: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/**
 * Projected gradient descent on a gradient estimated by natural evolution strategies (Ilyas et al. 2018): normal directions in antithetic pairs.
 * It lowers the goal's margin, where the paper raises the cross-entropy. Where all answers of an estimate are equal (rounded
 * scores), the deviation doubles, up to eps.
 * Cost: `samples + 1` answers a step, up to `queries`.
 */
export const nes: Attack<NesOptions> = defineSampleAttack({
  id: 'nes',
  title: 'Natural evolution strategies',
  needs: 'scores',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1804.08598',
  use: 'Scores alone; an estimate of the gradient that gradient masking in the graph cannot touch. Square is stronger per query.',
  defaults: {
    samples: 50,
    sigma: 0.001,
    relativeStep: 0.2,
    leastStep: 0.001,
    plateauLength: 5,
    momentum: 0.9,
    queries: 10000,
  },
  check(options) {
    wholeFrom(options, 'samples', 2);
    numberIn(options, 'sigma', 0);
    numberIn(options, 'relativeStep', 0);
    numberIn(options, 'leastStep', 0);
    wholeFrom(options, 'plateauLength', 1);
    numberIn(options, 'momentum', 0, 1, 'or equal');
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ queries }) => ({ gradients: 0, evaluations: queries }),
  *talk(victim, { samples, sigma, relativeStep, leastStep, plateauLength, momentum }) {
    const { x0, size, ball, answers } = victim;
    const norm = ball.norm === 'linf' ? 'linf' : 'l2';
    const noise = noiseFrom(victim.rng('directions'));
    const x = x0.slice();
    const estimate = antithetic(victim, Math.floor(samples / 2), noise.normals);
    const latest = new Float32Array(size);
    const gradient = new Float32Array(size);
    const direction = new Float32Array(size);
    let radius = sigma * widthOf(ball.bounds);
    let step = relativeStep;
    let margins: number[] = [];
    for (;;) {
      margins.push(yield* estimate(x, radius, latest));
      if (latest.every((v) => v === 0)) radius = Math.max(radius, Math.min(2 * radius, ball.eps));
      for (let i = 0; i < size; i++) gradient[i] = momentum * gradient[i]! + (1 - momentum) * latest[i]!;
      if (margins.length > plateauLength) margins.shift();
      if (margins.length === plateauLength && margins.at(-1)! > margins[0]!) {
        step = Math.max(leastStep, step / 2);
        margins = [];
      }
      steepest(norm, gradient, direction);
      for (let i = 0; i < size; i++) x[i]! += step * ball.eps * direction[i]!;
      projectOnto(ball, x, x0);
      yield* answers(x);
    }
  },
});
