import type { Attack } from '../attack.ts';
import { type MomentumStepOptions, momentumStep } from '../momentum-step.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';

/** Options of the momentum iterative method. */
export interface MomentumOptions extends MomentumStepOptions {
  readonly steps: number;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** Checks what the momentum methods have in common. Errors: `option/invalid`. */
export function checkMomentum(options: MomentumOptions): void {
  wholeFrom(options, 'steps', 1);
  numberIn(options, 'relativeStep', 0);
  numberIn(options, 'decay', 0, 1, 'or equal');
  choiceOf(options, 'rounding', ['zero', 'straight-through']);
}

/** The attack on one sample. */
export function* momentumTalk({ x0, ball, gradient, answers }: Victim, options: MomentumOptions): Talk {
  const x = x0.slice();
  const { advance } = momentumStep(ball, x0, options);
  for (let step = 0; step < options.steps; step++) advance(x, (yield* gradient(x)).gradient);
  yield* answers(x);
}

/**
 * The momentum iterative fast gradient sign method (Dong et al. 2018): steps along the accumulated gradient
 * `m ← decay · m + g / ‖g‖₁`, from the sample itself. Cost: `steps` gradients and one plain answer.
 */
export const miFgsm: Attack<MomentumOptions> = defineSampleAttack({
  id: 'mi-fgsm',
  title: 'Momentum iterative fast gradient method',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1710.06081',
  use: 'Made for transfer: examples found on one model often fool another.',
  defaults: { steps: 10, relativeStep: 0.1, decay: 1, rounding: 'zero' },
  check: checkMomentum,
  cost: ({ steps }) => ({ gradients: steps, evaluations: 1 }),
  talk: momentumTalk,
});
