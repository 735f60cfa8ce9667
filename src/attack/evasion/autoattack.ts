import type { Goal } from '../../threat/goal.ts';
import type { Norm } from '../../threat/norm.ts';
import { type Attack, defineAttack } from '../attack.ts';
import { runCascade, type Stage, stageOf } from '../cascade.ts';
import { choiceOf, wholeFrom } from '../option-checks.ts';
import { apgdCe, apgdDlr, apgdT } from './apgd.ts';
import { fab, fabT } from './fab.ts';
import { square } from './square.ts';

/** The versions that are published. */
export const AUTOATTACK_VERSIONS = ['standard', 'plus', 'rand'] as const;

/** Options of AutoAttack; results compare with published ones at their defaults only. */
export interface AutoAttackOptions {
  /** `standard`, `plus` (more restarts, six attacks) or `rand` (for models that answer at random). */
  readonly version: (typeof AUTOATTACK_VERSIONS)[number];
  /** Steps of each run of Auto-PGD and FAB. */
  readonly steps: number;
  /** Queries of Square Attack for one sample. */
  readonly squareQueries: number;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** What decides which stages there are. */
interface Setting {
  readonly norm: Norm;
  readonly goal: Pick<Goal, 'task' | 'targeted'>;
  readonly classes: number;
}

/** Passes that the version `rand` averages a gradient over. */
const PASSES = 20;
/** Classes that the targeted stages run at; in l1 Auto-PGD runs at fewer, from larger balls. */
const TARGETS = 9;
const L1_TARGETS = 5;

/** The stages of a version, as published: in l1 the standard one starts Auto-PGD five times, from larger balls, at five classes. */
function stagesFor(
  { version, steps, squareQueries, rounding }: AutoAttackOptions,
  { norm, goal, classes }: Setting,
): readonly Stage[] {
  const isMindful = norm === 'l1' && version === 'standard';
  const rivals = goal.task === 'classification' && !goal.targeted ? classes - 1 : 1;
  const apgd = { steps, rounding, largeEps: isMindful };
  const apgdTargets = Math.min(rivals, isMindful ? L1_TARGETS : TARGETS);
  const fabOptions = { steps, rounding, refine: false };
  const fabTargets = Math.min(rivals, TARGETS);
  const last = stageOf(square, { queries: squareQueries, rescale: false });
  switch (version) {
    case 'standard':
      return [
        stageOf(apgdCe, { ...apgd, restarts: isMindful ? 5 : 1 }),
        stageOf(apgdT, { ...apgd, targets: apgdTargets }),
        stageOf(fabT, { ...fabOptions, targets: fabTargets }),
        last,
      ];
    case 'plus':
      return [
        stageOf(apgdCe, { ...apgd, restarts: 5 }),
        stageOf(apgdDlr, { ...apgd, restarts: 5 }),
        stageOf(fab, { ...fabOptions, restarts: 5 }),
        last,
        stageOf(apgdT, { ...apgd, targets: apgdTargets }),
        stageOf(fabT, { ...fabOptions, targets: fabTargets }),
      ];
    case 'rand':
      return [stageOf(apgdCe, { ...apgd, average: PASSES }), stageOf(apgdDlr, { ...apgd, average: PASSES })];
  }
}

/** What decides about the stages of a model with many classes, for estimates. */
const USUAL: Setting = { norm: 'linf', goal: { task: 'classification', targeted: false }, classes: 1000 };

/**
 * AutoAttack (Croce & Hein 2020; l1: Croce & Hein 2021): Auto-PGD on the cross-entropy and class by class, FAB class by class and Square
 * Attack, one after another on the samples that still stand ({@link runCascade}). The version `plus` adds Auto-PGD on the
 * difference of logits ratio, untargeted FAB and restarts; `rand` averages gradients over 20 passes. Stages, order and
 * budgets are those of the authors' code; deviations are those of the stages. Models with fewer than ten classes have
 * fewer targets; what the ratio of logits becomes with fewer than four, `apgd-t` says. The self-checks that the authors' code prints
 * as warnings are findings of the assessment.
 * Cost of a sample that stands: about 1,900 gradients and 5,900 answers for `standard`.
 */
export const autoattack: Attack<AutoAttackOptions> = defineAttack({
  id: 'autoattack',
  title: 'AutoAttack',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2', 'l1'],
  parts: ['apgd-ce', 'apgd-dlr', 'apgd-t', 'fab', 'fab-t', 'square'],
  source: 'https://arxiv.org/abs/2003.01690',
  use: 'The figure to report and to compare with RobustBench: four attacks that fail in different ways, without anything to tune.',
  defaults: { version: 'standard', steps: 100, squareQueries: 5000, rounding: 'zero' },
  check(options) {
    choiceOf(options, 'version', AUTOATTACK_VERSIONS);
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'squareQueries', 1);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost(options) {
    let gradients = 0;
    let evaluations = 0;
    for (const stage of stagesFor(options, USUAL)) {
      const part = stage.attack.cost(stage.options);
      gradients += part.gradients;
      evaluations += part.evaluations;
    }
    return { gradients, evaluations };
  },
  run(run) {
    const { options, ball, goal, oracle } = run;
    return runCascade(run, stagesFor(options, { norm: ball.norm, goal, classes: oracle.classes }));
  },
});
