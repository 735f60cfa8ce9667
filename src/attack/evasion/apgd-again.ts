import type { Norm } from '../../threat/norm.ts';
import { type Attack, defineAttack } from '../attack.ts';
import { runCascade, type Stage, stageOf } from '../cascade.ts';
import { acg } from './acg.ts';
import { type ApgdOptions, apgdCe, apgdT } from './apgd.ts';

/** Options of the second look: those of Auto-PGD that it changes. */
export type ApgdAgainOptions = Pick<ApgdOptions, 'steps' | 'restarts' | 'rounding'>;

/** Runs of the auto conjugate gradient for each one of Auto-PGD. */
const ACG_RUNS = 4;

function stagesFor(options: ApgdAgainOptions, norm: Norm): readonly Stage[] {
  const relative = { ...options, restarts: ACG_RUNS * options.restarts };
  return [
    stageOf(apgdCe, options),
    ...(norm === 'l1'
      ? []
      : [stageOf(acg, { ...relative, loss: 'margin' }), stageOf(acg, { ...relative, loss: 'goal' })]),
    stageOf(apgdT, options),
  ];
}

/**
 * The gradient attacks of AutoAttack once more and stronger, before gradient masking is blamed for what only an attack without gradients
 * broke: five further restarts each, rounding passed through, so that a quantised model has a gradient, and in linf and l2
 * conjugate directions on two losses in between, because on adversarially trained models momentum alone keeps ending in the
 * same places (on one trained here it missed in 50 restarts what conjugate directions found in five).
 * Cost of a sample that stands: 9,000 gradients, in l1 5,000.
 */
export const apgdAgain: Attack<ApgdAgainOptions> = defineAttack({
  id: 'apgd-again',
  title: 'Auto-PGD and its relative with more restarts',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2', 'l1'],
  parts: ['apgd-ce', 'acg', 'apgd-t'],
  source: 'https://arxiv.org/abs/2003.01690',
  use: 'A second look at samples that only attacks without gradients broke.',
  defaults: { steps: 100, restarts: 5, rounding: 'straight-through' },
  check(options) {
    stageOf(apgdCe, options);
  },
  cost(options) {
    let gradients = 0;
    let evaluations = 0;
    for (const stage of stagesFor(options, 'linf')) {
      const part = stage.attack.cost(stage.options);
      gradients += part.gradients;
      evaluations += part.evaluations;
    }
    return { gradients, evaluations };
  },
  run: (run) => runCascade(run, stagesFor(run.options, run.ball.norm)),
});
