import { randomStart } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { projectOnto, steepest } from '../ball-geometry.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';

/** Options of PGD on an expectation. */
export interface EotPgdOptions {
  /** Steps from each start. */
  readonly steps: number;
  /** Length of a step as a share of eps. */
  readonly relativeStep: number;
  /** Random starts; 0 starts once from the input itself. */
  readonly restarts: number;
  /** Passes that each gradient, and each verdict, is averaged over. */
  readonly average: number;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** The attack on one sample. */
export function* expectationTalk(
  { x0, size, ball, gradient, rng }: Victim,
  { steps, relativeStep, restarts, average }: EotPgdOptions,
): Talk {
  const x = new Float32Array(size);
  const direction = new Float32Array(size);
  const norm = ball.norm === 'linf' ? 'linf' : 'l2';
  for (let restart = 0; restart < Math.max(1, restarts); restart++) {
    x.set(x0);
    if (restarts > 0) randomStart(ball, x0, x, 0, size, rng(restart));
    for (let step = 0; step < steps; step++) {
      steepest(norm, (yield* gradient(x, { average })).gradient, direction);
      for (let i = 0; i < size; i++) x[i]! += relativeStep * ball.eps * direction[i]!;
      projectOnto(ball, x, x0);
    }
    yield* gradient(x, { average });
  }
}

/**
 * PGD on the expectation over a model's own randomness (EOT; Athalye et al. 2018): every gradient is the mean of `average` passes, and a
 * point counts as an example when the mean of the logits says so, not one lucky pass. On a model without randomness it is `pgd` for
 * `average` times the price. Cost: `max(1, restarts) × (steps + 1) × average` gradients.
 */
export const eotPgd: Attack<EotPgdOptions> = defineSampleAttack({
  id: 'eot-pgd',
  title: 'PGD on the expectation over random answers',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1802.00420',
  use: 'For models that answer at random (noise, dropout, random resizing): there a single gradient says little.',
  defaults: { steps: 40, relativeStep: 0.1, restarts: 1, average: 10, rounding: 'zero' },
  check(options) {
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'restarts', 0);
    wholeFrom(options, 'average', 1);
    numberIn(options, 'relativeStep', 0);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps, restarts, average }) => ({
    gradients: Math.max(1, restarts) * (steps + 1) * average,
    evaluations: 0,
  }),
  talk: expectationTalk,
});
