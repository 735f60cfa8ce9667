import type { Attack } from '../attack.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { rankedRivals } from '../rivals.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { apgdL1Run } from './apgd-l1.ts';
import { type ApgdLoss, apgdLoss, apgdTargetedLoss } from './apgd-loss.ts';
import { apgdRun } from './apgd-run.ts';
import { apgdStart } from './apgd-start.ts';

/** Options of Auto-PGD. */
export interface ApgdOptions {
  /** Gradient steps of each run. */
  readonly steps: number;
  /** Runs, each from a random point of its own. */
  readonly restarts: number;
  /** Share of the steps between two checkpoints that must have raised the loss; otherwise the step is halved (linf and l2). */
  readonly rho: number;
  /** Passes that a gradient is averaged over, for models that answer at random. */
  readonly average: number;
  /** In l1: starts in balls of 3·eps and 2·eps, as AutoAttack does. */
  readonly largeEps: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** Options of targeted Auto-PGD. */
export interface ApgdTargetedOptions extends ApgdOptions {
  /** Classes to run at, the likeliest first; all others where there are fewer. */
  readonly targets: number;
}

function check(options: ApgdOptions): void {
  wholeFrom(options, 'steps', 1);
  wholeFrom(options, 'restarts', 1);
  numberIn(options, 'rho', 0, 1, 'or equal');
  wholeFrom(options, 'average', 1);
  choiceOf(options, 'rounding', ['zero', 'straight-through']);
}

/** Runs from random points that `keys` and the restart's number decide. */
function* runs(
  victim: Victim,
  lossAt: ApgdLoss,
  options: ApgdOptions,
  keys: readonly (string | number)[],
): Talk {
  for (let restart = 0; restart < options.restarts; restart++) {
    const x = apgdStart(victim.ball, victim.x0, victim.rng(...keys, restart));
    if (victim.ball.norm === 'l1') yield* apgdL1Run(victim, x, lossAt, options);
    else yield* apgdRun(victim, x, lossAt, options);
  }
}

const shared = {
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2', 'l1'],
  source: 'https://arxiv.org/abs/2003.01690',
} as const;

const defaults: ApgdOptions = {
  steps: 100,
  restarts: 1,
  rho: 0.75,
  average: 1,
  largeEps: true,
  rounding: 'zero',
};

const cost = ({ steps, restarts, average }: ApgdOptions) => ({
  gradients: restarts * steps * average,
  evaluations: restarts,
});

/**
 * Auto-PGD on the goal's own loss, for classes the cross-entropy (Croce & Hein 2020; in l1 Croce & Hein 2021): ascent with momentum whose
 * step size looks after itself. Checkpoints, momentum, starts and, in l1, the sparse steps are those of the authors' code.
 * Deviations: the first point that reaches the goal ends the search (there it goes on, and the last such point is returned), so that
 * robust accuracy is the same for fewer passes; with `average`, the mean of the logits is judged, not the last pass; bounds
 * other than 0 to 1 scale the starts.
 * Cost: `restarts × steps × average` gradients, and one answer for each restart.
 */
export const apgdCe: Attack<ApgdOptions> = defineSampleAttack({
  ...shared,
  id: 'apgd-ce',
  title: 'Auto-PGD, cross-entropy',
  use: 'The first attack to trust: strong without a step size to tune.',
  defaults,
  check,
  cost,
  *talk(victim, options) {
    yield* runs(victim, apgdLoss(victim, 'goal', options.average), options, []);
  },
});

/**
 * {@link apgdCe} on the difference of logits ratio, which no scaling of the logits changes: it sees through models whose cross-entropy
 * is flat because they are sure of themselves. Needs three classes; with fewer, and for goals that are not an untargeted
 * classification, minus the goal's margin takes its place. Cost: as `apgd-ce`.
 */
export const apgdDlr: Attack<ApgdOptions> = defineSampleAttack({
  ...shared,
  id: 'apgd-dlr',
  title: 'Auto-PGD, difference of logits ratio',
  use: 'Beside apgd-ce where a model is very sure of its answers (large logits, low temperature).',
  defaults,
  check,
  cost,
  *talk(victim, options) {
    yield* runs(victim, apgdLoss(victim, 'dlr', options.average), options, []);
  },
});

/**
 * Auto-PGD class by class: runs on the targeted difference of logits ratio against the `targets` classes that are next at the clean
 * sample, one after another; any wrong class counts. The ratio needs four classes; with fewer the difference of the two logits takes
 * its place, and goals that are not an untargeted classification have one run on their margin.
 * Cost: `targets × restarts × steps × average` gradients, one answer for each run and one for the ranking.
 */
export const apgdT: Attack<ApgdTargetedOptions> = defineSampleAttack({
  ...shared,
  id: 'apgd-t',
  title: 'Auto-PGD, class by class',
  use: 'The strongest gradient attack here; expensive, so it belongs behind apgd-ce.',
  defaults: { ...defaults, targets: 9 },
  check(options) {
    check(options);
    wholeFrom(options, 'targets', 1);
  },
  cost(options) {
    const { gradients, evaluations } = cost(options);
    return { gradients: options.targets * gradients, evaluations: 1 + options.targets * evaluations };
  },
  *talk(victim, options) {
    const rivals = yield* rankedRivals(victim);
    for (const [i, rival] of rivals.slice(0, options.targets).entries())
      yield* runs(victim, apgdTargetedLoss(victim, rival, options.average), options, [i]);
  },
});
