import type { Talk } from '../question.ts';
import type { Victim } from '../sample-attack.ts';
import type { ApgdLoss } from './apgd-loss.ts';
import { apgdStepFor } from './apgd-step.ts';
import { stepHalving } from './step-halving.ts';

/** How long a run of Auto-PGD is and when it halves its step. */
export interface ApgdRunOptions {
  /** Gradient steps. */
  readonly steps: number;
  /** Share of the steps between two checkpoints that must have raised the loss. */
  readonly rho: number;
}

/** What is kept of the step before, after the first one. */
const MOMENTUM = 0.75;

/**
 * One run of Auto-PGD in the Linf or L2 ball (Croce & Hein 2020) from `x`, which is overwritten. The step is 2·eps at first; when
 * {@link stepHalving} says so, it is halved, and the run goes back to its best point. The last point is asked about without a gradient.
 */
export function* apgdRun(
  { x0, ball, answers }: Victim,
  x: Float32Array,
  lossAt: ApgdLoss,
  { steps, rho }: ApgdRunOptions,
): Talk {
  const advance = apgdStepFor(ball, x0);
  let { loss, gradient } = yield* lossAt(x);
  const before = x.slice();
  const best = x.slice();
  const bestGradient = gradient.slice();
  let bestLoss = Number.isNaN(loss) ? Number.NEGATIVE_INFINITY : loss;
  const halving = stepHalving(steps, rho, bestLoss);
  let stepSize = 2 * ball.eps;
  for (let step = 0; step < steps; step++) {
    advance(x, before, gradient, stepSize, step === 0 ? 1 : MOMENTUM);
    if (step === steps - 1) break;
    ({ loss, gradient } = yield* lossAt(x));
    if (loss > bestLoss) {
      bestLoss = loss;
      best.set(x);
      bestGradient.set(gradient);
    }
    if (!halving.isDue(loss, bestLoss)) continue;
    stepSize /= 2;
    x.set(best);
    gradient = bestGradient;
  }
  yield* answers(x);
}
