import type { Talk } from '../question.ts';
import type { Victim } from '../sample-attack.ts';
import type { ApgdLoss } from './apgd-loss.ts';
import { apgdStepFor } from './apgd-step.ts';

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
 * One run of Auto-PGD in the Linf or L2 ball (Croce & Hein 2020) from `x`, which is overwritten. The step is 2·eps at first. At each
 * checkpoint (after 0.22, then ever fewer of the steps, see {@link nextGap}) it is halved, and the run goes back to its
 * best point, if the loss rose in no more than `rho` of the steps since the last one, or if the step was not halved there and the
 * best loss has not risen since. The last point is asked about without a gradient.
 *
 * As in the authors' code, the first checkpoint compares the first step's loss with 0 and not with the start's.
 */
export function* apgdRun(
  { x0, ball, answers }: Victim,
  x: Float32Array,
  lossAt: ApgdLoss,
  { steps, rho }: ApgdRunOptions,
): Talk {
  const advance = apgdStepFor(ball, x0);
  const losses = new Float64Array(steps);
  let { loss, gradient } = yield* lossAt(x);
  // Copied only now: a constraint may have moved the start.
  const before = x.slice();
  const best = x.slice();
  const bestGradient = gradient.slice();
  let bestLoss = Number.isNaN(loss) ? Number.NEGATIVE_INFINITY : loss;
  let bestAtLastCheck = bestLoss;
  let halvedAtLastCheck = true;
  let stepSize = 2 * ball.eps;
  let gap = Math.max(Math.floor(0.22 * steps), 1);
  let sinceCheck = 0;
  for (let step = 0; step < steps; step++) {
    advance(x, before, gradient, stepSize, step === 0 ? 1 : MOMENTUM);
    if (step === steps - 1) break;
    ({ loss, gradient } = yield* lossAt(x));
    losses[step] = loss;
    if (loss > bestLoss) {
      bestLoss = loss;
      best.set(x);
      bestGradient.set(gradient);
    }
    sinceCheck++;
    if (sinceCheck < gap) continue;
    let rises = 0;
    for (let i = step - gap + 1; i <= step; i++) if (losses[i]! > (losses[i - 1] ?? 0)) rises++;
    const isHalved: boolean = rises <= rho * gap || (!halvedAtLastCheck && bestAtLastCheck >= bestLoss);
    if (isHalved) {
      stepSize /= 2;
      x.set(best);
      gradient = bestGradient;
    }
    halvedAtLastCheck = isHalved;
    bestAtLastCheck = bestLoss;
    gap = nextGap(gap, steps);
    sinceCheck = 0;
  }
  yield* answers(x);
}

/** Steps to the checkpoint after next: 22, 19, 16, 13, 10, 7, 6, 6, … for 100 steps. */
function nextGap(gap: number, steps: number): number {
  const shorter = gap - Math.max(Math.floor(0.03 * steps), 1);
  return Math.max(shorter, Math.floor(0.06 * steps), 1);
}
