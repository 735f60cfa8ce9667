import type { Attack } from '../attack.ts';
import { momentumStep } from '../momentum-step.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { checkMomentum, type MomentumOptions } from './mi-fgsm.ts';

/** The attack on one sample. */
export function* nesterovTalk({ x0, size, ball, gradient, answers }: Victim, options: MomentumOptions): Talk {
  const x = x0.slice();
  const ahead = new Float32Array(size);
  const { momentum, advance } = momentumStep(ball, x0, options);
  const far =
    options.relativeStep * ball.eps * options.decay * (ball.norm === 'linf' ? 1 : 1 / Math.sqrt(size));
  for (let step = 0; step < options.steps; step++) {
    for (let i = 0; i < size; i++) ahead[i] = x[i]! + far * momentum[i]!;
    advance(x, (yield* gradient(ahead)).gradient);
  }
  yield* answers(x);
}

/**
 * The Nesterov iterative fast gradient sign method (Lin et al. 2020): MI-FGSM whose gradients are taken one step ahead, at
 * `x + step · decay · m`. Look-ahead points inside the ball are examples, too. In l2 the way ahead is divided by the root of the number of
 * elements, so that it is as long as a step. Cost: `steps` gradients and one plain answer.
 */
export const niFgsm: Attack<MomentumOptions> = defineSampleAttack({
  id: 'ni-fgsm',
  title: 'Nesterov iterative fast gradient method',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1908.06281',
  use: 'Made for transfer, like mi-fgsm: looking ahead keeps it from settling where only this model falls.',
  defaults: { steps: 10, relativeStep: 0.1, decay: 1, rounding: 'zero' },
  check: checkMomentum,
  cost: ({ steps }) => ({ gradients: steps, evaluations: 1 }),
  talk: nesterovTalk,
});
