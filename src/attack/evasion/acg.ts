import { randomStart } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { projectOnto, steepest } from '../ball-geometry.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { stepHalving } from './step-halving.ts';

/** Options of the auto conjugate gradient attack. */
export interface AcgOptions {
  /** Gradient steps of each run. */
  readonly steps: number;
  /** Runs: the first from the middle of the feasible values, the others from random points. */
  readonly restarts: number;
  /** Share of the steps between two checkpoints that must have raised the loss; otherwise the step is halved. */
  readonly rho: number;
  /** What is raised: minus the goal's margin (the authors' CW loss), or the goal's own loss. */
  readonly loss: 'margin' | 'goal';
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/**
 * How much of the direction before is kept (Hestenes & Stiefel 1952): `⟨g, g − g′⟩ / ⟨s′, g − g′⟩`, `g′` and `s′` being the gradient and
 * the direction before; nothing where that is negative or no number.
 */
function keptShare(g: Float32Array, before: Float32Array, direction: Float32Array): number {
  let above = 0;
  let below = 0;
  for (let i = 0; i < g.length; i++) {
    const change = g[i]! - before[i]!;
    above += g[i]! * change;
    below += direction[i]! * change;
  }
  const share = above / below;
  return share > 0 && share < Number.POSITIVE_INFINITY ? share : 0;
}

/** One run from `x`, which is overwritten. */
export function* acgRun(
  { x0, size, ball, gradient, answers }: Victim,
  x: Float32Array,
  options: AcgOptions,
): Talk {
  const norm = ball.norm === 'linf' ? 'linf' : 'l2';
  const { loss } = options;
  const step = new Float32Array(size);
  const first = yield* gradient(x, { loss });
  let g = first.gradient.slice();
  // What led to the best point, so that the run can go on from there.
  const best = { x: x.slice(), g: g.slice(), before: g.slice(), direction: g.slice() };
  let bestLoss = first.loss;
  const before = g.slice();
  const direction = new Float32Array(size);
  const halving = stepHalving(options.steps, options.rho, bestLoss);
  let stepSize = 2 * ball.eps;
  for (let count = 0; count < options.steps; count++) {
    const kept = count === 0 ? 0 : keptShare(g, before, direction);
    for (let i = 0; i < size; i++) direction[i] = g[i]! + kept * direction[i]!;
    before.set(g);
    steepest(norm, direction, step);
    for (let i = 0; i < size; i++) x[i]! += stepSize * step[i]!;
    projectOnto(ball, x, x0);
    if (count === options.steps - 1) break;
    const here = yield* gradient(x, { loss });
    g = here.gradient.slice();
    if (here.loss > bestLoss) {
      bestLoss = here.loss;
      best.x.set(x);
      best.g.set(g);
      best.before.set(before);
      best.direction.set(direction);
    }
    if (!halving.isDue(here.loss, bestLoss)) continue;
    stepSize /= 2;
    x.set(best.x);
    g.set(best.g);
    before.set(best.before);
    direction.set(best.direction);
  }
  yield* answers(x);
}

/**
 * Auto conjugate gradient (Yamamura et al. 2022): Auto-PGD's schedule of step sizes with conjugate directions in place of momentum, which
 * visit more different points. Loss, directions, start and what is restored after a halving are those of the authors' code. They publish linf only; in l2 the step is the direction at unit length and the starts are `x` itself and
 * points of the ball. As with Auto-PGD here, the first point that reaches the goal ends the search.
 * Cost: `restarts × steps` gradients, and one answer for each restart.
 */
export const acg: Attack<AcgOptions> = defineSampleAttack({
  id: 'acg',
  title: 'Auto conjugate gradient',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/2206.09628',
  use: 'Beside apgd-ce: as little to tune, and other points on the way, so the two together find more.',
  defaults: { steps: 100, restarts: 1, rho: 0.75, loss: 'margin', rounding: 'zero' },
  check(options) {
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'restarts', 1);
    numberIn(options, 'rho', 0, 1, 'or equal');
    choiceOf(options, 'loss', ['margin', 'goal']);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps, restarts }) => ({ gradients: restarts * steps, evaluations: restarts }),
  *talk(victim, options) {
    const { x0, size, ball, rng } = victim;
    const [low, high] = ball.bounds;
    for (let restart = 0; restart < options.restarts; restart++) {
      const x = x0.slice();
      if (restart > 0) randomStart(ball, x0, x, 0, size, rng(restart));
      else if (ball.norm === 'linf')
        for (let i = 0; i < size; i++)
          x[i] = (Math.max(x0[i]! - ball.eps, low) + Math.min(x0[i]! + ball.eps, high)) / 2;
      yield* acgRun(victim, x, options);
    }
  },
});
