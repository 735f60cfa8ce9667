import { type Attack, defineAttack } from '../attack.ts';
import { runCascade, stageOf } from '../cascade.ts';
import { type ApgdOptions, apgdCe, apgdT } from './apgd.ts';

/** Options of the second look: those of Auto-PGD that it changes. */
export type ApgdAgainOptions = Pick<ApgdOptions, 'steps' | 'restarts' | 'rounding'>;

/**
 * The gradient attacks of AutoAttack once more and stronger: both with five further restarts, and with rounding passed through, so that a
 * quantised model has a gradient. For samples that an attack without gradients broke, before gradient masking is blamed.
 * Cost of a sample that stands: 5,000 gradients.
 */
export const apgdAgain: Attack<ApgdAgainOptions> = defineAttack({
  id: 'apgd-again',
  title: 'Auto-PGD with more restarts',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2', 'l1'],
  parts: ['apgd-ce', 'apgd-t'],
  source: 'https://arxiv.org/abs/2003.01690',
  use: 'A second look at samples that only attacks without gradients broke.',
  defaults: { steps: 100, restarts: 5, rounding: 'straight-through' },
  check(options) {
    stageOf(apgdCe, options);
  },
  cost({ steps, restarts }) {
    const { targets } = apgdT.defaults;
    return { gradients: (1 + targets) * restarts * steps, evaluations: 1 + (1 + targets) * restarts };
  },
  run: (run) => runCascade(run, [stageOf(apgdCe, run.options), stageOf(apgdT, run.options)]),
});
