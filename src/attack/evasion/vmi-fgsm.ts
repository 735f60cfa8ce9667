import { type Ball, randomStart } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { momentumStep } from '../momentum-step.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { checkMomentum, type MomentumOptions } from './mi-fgsm.ts';

/** Options of the variance-tuned momentum method. */
export interface VarianceOptions extends MomentumOptions {
  /** Points around each iterate that show how the gradient varies. */
  readonly neighbours: number;
  /** How far away they are at most, as a multiple of eps. */
  readonly beta: number;
}

/** The attack on one sample. */
export function* varianceTalk(
  { x0, size, ball, gradient, answers, rng }: Victim,
  options: VarianceOptions,
): Talk {
  const { steps, neighbours, beta } = options;
  const around: Ball = {
    norm: ball.norm,
    eps: beta * ball.eps,
    bounds: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  };
  const random = rng();
  const x = x0.slice();
  const variance = new Float32Array(size);
  const tuned = new Float32Array(size);
  const neighbour = new Float32Array(size);
  const { advance } = momentumStep(ball, x0, options);
  for (let step = 0; step < steps; step++) {
    const here = (yield* gradient(x)).gradient.slice();
    for (let i = 0; i < size; i++) tuned[i] = here[i]! + variance[i]!;
    if (step < steps - 1) {
      for (let i = 0; i < size; i++) variance[i] = -here[i]!;
      for (let count = 0; count < neighbours; count++) {
        randomStart(around, x, neighbour, 0, size, random);
        const there = (yield* gradient(neighbour, { probe: true })).gradient;
        for (let i = 0; i < size; i++) variance[i]! += there[i]! / neighbours;
      }
    }
    advance(x, tuned);
  }
  yield* answers(x);
}

/**
 * Variance-tuned MI-FGSM (Wang & He 2021): each gradient is corrected by how much the gradients around the iterate before differed from
 * the one at it. Neighbours are drawn from the ball of `beta · eps`, within which bounds do not hold, so they are no examples. After
 * the last step none are drawn. Cost: `steps + (steps − 1) · neighbours` gradients and one plain answer.
 */
export const vmiFgsm: Attack<VarianceOptions> = defineSampleAttack({
  id: 'vmi-fgsm',
  title: 'Variance-tuned momentum fast gradient method',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/2103.15571',
  use: 'Transfers better than mi-fgsm, for many times the gradients.',
  defaults: { steps: 10, relativeStep: 0.1, decay: 1, neighbours: 20, beta: 1.5, rounding: 'zero' },
  check(options) {
    checkMomentum(options);
    wholeFrom(options, 'neighbours', 1);
    numberIn(options, 'beta', 0);
  },
  cost: ({ steps, neighbours }) => ({ gradients: steps + (steps - 1) * neighbours, evaluations: 1 }),
  talk: varianceTalk,
});
