import { GlacisError } from '../../core/error.ts';
import { ascend } from '../../threat/ascent.ts';
import { type Attack, type AttackRun, defineAttack } from '../attack.ts';
import { whiteBoxOf } from '../white-box.ts';

/** Options of PGD and its relatives. */
export interface PgdOptions {
  /** Steps from each start. */
  readonly steps: number;
  /** Length of a step as a share of eps; used where `stepSize` is 0. */
  readonly relativeStep: number;
  /** Length of a step in the model's input units; 0 takes `relativeStep × eps`. */
  readonly stepSize: number;
  /** Random starts; 0 starts once from the input itself. */
  readonly restarts: number;
  /** In l1, what a step takes of the gradient: its `largest` elements alike, or `all`, each by its size. */
  readonly l1Step: 'largest' | 'all';
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

function check(options: PgdOptions): void {
  const whole = (name: 'steps' | 'restarts', least: number) => {
    if (!Number.isInteger(options[name]) || options[name] < least)
      throw new GlacisError(
        'option/invalid',
        `${name}: expected a whole number of at least ${least}, got ${options[name]}`,
      );
  };
  whole('steps', 1);
  whole('restarts', 0);
  if (!(options.relativeStep > 0))
    throw new GlacisError(
      'option/invalid',
      `relativeStep: expected a number above 0, got ${options.relativeStep}`,
    );
  if (!(options.stepSize >= 0))
    throw new GlacisError(
      'option/invalid',
      `stepSize: expected a number of at least 0, got ${options.stepSize}`,
    );
  if (options.rounding !== 'zero' && options.rounding !== 'straight-through')
    throw new GlacisError(
      'option/invalid',
      `rounding: expected zero or straight-through, got '${options.rounding}'`,
    );
  if (options.l1Step !== 'largest' && options.l1Step !== 'all')
    throw new GlacisError('option/invalid', `l1Step: expected largest or all, got '${options.l1Step}'`);
}

async function run(attackRun: AttackRun<PgdOptions>): Promise<void> {
  const { goal, ball, x0, x, todo, options, batch, rng, signal, progress, decided, isJudged } = attackRun;
  let done = 0;
  let fallen = 0;
  await ascend(whiteBoxOf(attackRun), goal, ball, x0, x, todo, {
    steps: options.steps,
    stepSize: options.stepSize > 0 ? options.stepSize : options.relativeStep * ball.eps,
    restarts: options.restarts,
    rounding: options.rounding,
    l1Step: options.l1Step,
    batch,
    isJudged,
    rng: (sample, restart) => rng(sample, restart),
    signal,
    decided(sample, reached, queries) {
      done++;
      if (reached) fallen++;
      decided?.(sample, reached, queries);
      progress({ label: '', done, total: todo.length, ...(fallen > 0 && { note: `${fallen} fallen` }) });
    },
  });
}

const shared = {
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2', 'l1'],
  check,
  cost: ({ steps, restarts }: PgdOptions) => ({
    gradients: Math.max(1, restarts) * steps,
    evaluations: Math.max(1, restarts),
  }),
  run,
} as const;

/**
 * Projected gradient descent in a norm ball (Madry et al. 2018). Keeps the first iterate that reaches the goal, otherwise the one of
 * highest loss, not the last. Deterministic given `rng`.
 */
export const pgd: Attack<PgdOptions> = defineAttack({
  ...shared,
  id: 'pgd',
  title: 'Projected gradient descent',
  source: 'https://arxiv.org/abs/1706.06083',
  use: 'The usual first attack of some strength, and the inner loop of adversarial training.',
  defaults: {
    steps: 40,
    relativeStep: 0.1,
    stepSize: 0,
    restarts: 1,
    l1Step: 'largest',
    rounding: 'zero',
  },
});

/** The basic iterative method (Kurakin et al. 2017): PGD from the input itself. */
export const bim: Attack<PgdOptions> = defineAttack({
  ...shared,
  id: 'bim',
  title: 'Basic iterative method',
  source: 'https://arxiv.org/abs/1607.02533',
  use: 'To compare with published figures; deterministic, no random start.',
  defaults: {
    steps: 10,
    relativeStep: 0.2,
    stepSize: 0,
    restarts: 0,
    l1Step: 'largest',
    rounding: 'zero',
  },
});

/** The fast gradient sign method (Goodfellow et al. 2015) and its L2 and L1 forms: one full step from the input itself. */
export const fgsm: Attack<PgdOptions> = defineAttack({
  ...shared,
  id: 'fgsm',
  title: 'Fast gradient (sign) method',
  source: 'https://arxiv.org/abs/1412.6572',
  use: 'A first look at the cost of one gradient; a defence that stands only this one stands nothing.',
  defaults: { steps: 1, relativeStep: 1, stepSize: 0, restarts: 0, l1Step: 'all', rounding: 'zero' },
});
