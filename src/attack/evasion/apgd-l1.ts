import { kthLargest } from '../kth-largest.ts';
import { type L1Projection, l1ProjectionFor } from '../l1-projection.ts';
import type { Talk } from '../question.ts';
import type { Victim } from '../sample-attack.ts';
import type { ApgdLoss } from './apgd-loss.ts';

/** How long a run of L1-APGD is. */
export interface ApgdL1Options {
  /** Gradient steps in all. */
  readonly steps: number;
  /** Spends 30 % of the steps in a ball of 3·eps and 30 % in one of 2·eps before the last 40 % in the ball itself. */
  readonly largeEps: boolean;
}

/** Share of the elements that the first steps change. */
const FIRST_SHARE = 0.2;

/**
 * L1-APGD (Croce & Hein 2021, "Mind the box") from `x`, which is overwritten: sparse steps, sign and share the same for the `topk` largest
 * elements of the gradient, projected onto L1 ball and bounds together ({@link l1ProjectionFor}). The number of elements follows the
 * sparsity of the best point so far. Points of the larger balls are no candidates.
 */
export function* apgdL1Run(
  victim: Victim,
  x: Float32Array,
  lossAt: ApgdLoss,
  { steps, largeEps }: ApgdL1Options,
): Talk {
  const { size, ball } = victim;
  const project = l1ProjectionFor(size, ball.bounds);
  const first = Math.ceil(0.3 * steps);
  const second = Math.min(first, steps - first);
  const phases = largeEps
    ? [
        { eps: 3 * ball.eps, steps: first },
        { eps: 2 * ball.eps, steps: second },
        { eps: ball.eps, steps: steps - first - second },
      ]
    : [{ eps: ball.eps, steps }];
  for (const [i, phase] of phases.entries()) {
    project(x, victim.x0, phase.eps);
    yield* runPhase(victim, x, lossAt, project, {
      ...phase,
      isLast: i === phases.length - 1,
      share: largeEps ? changed(x, victim.x0) / size / 1.5 : FIRST_SHARE,
      changed: largeEps ? changed(x, victim.x0) : size,
    });
  }
}

interface Phase {
  readonly eps: number;
  readonly steps: number;
  readonly isLast: boolean;
  /** Share of the elements that the first steps change. */
  readonly share: number;
  /** Elements that the start counts as having changed. */
  readonly changed: number;
}

/** One phase; leaves its best point in `x`, but for the last one. */
function* runPhase(
  { x0, ball, size, answers }: Victim,
  x: Float32Array,
  lossAt: ApgdLoss,
  project: L1Projection,
  { eps, steps, isLast, ...start }: Phase,
): Talk {
  const probe = !isLast;
  /** What is asked about: of a larger ball, too, points that keep to the constraint. */
  const seen = () => {
    if (!probe || !ball.constraint) return x;
    const moved = x.slice();
    ball.constraint.project(moved, 0, x0, 0, size, { ...ball, eps });
    return moved;
  };
  const gap = Math.max(Math.floor(0.04 * steps), 1);
  const sizes = new Float32Array(size);
  let { loss, gradient } = yield* lossAt(seen(), probe);
  const best = x.slice();
  const bestGradient = gradient.slice();
  let bestLoss = Number.isNaN(loss) ? Number.NEGATIVE_INFINITY : loss;
  let { share, changed: changedBefore } = start;
  let stepSize = eps;
  let sinceCheck = 0;
  for (let step = 0; step < steps; step++) {
    sparseStep(x, gradient, share, stepSize, sizes);
    project(x, x0, eps);
    if (isLast && step === steps - 1) {
      yield* answers(x);
      return;
    }
    ({ loss, gradient } = yield* lossAt(seen(), probe));
    if (loss > bestLoss) {
      bestLoss = loss;
      best.set(x);
      bestGradient.set(gradient);
    }
    sinceCheck++;
    if (sinceCheck < gap) continue;
    sinceCheck = 0;
    const changedNow = changed(best, x0);
    const isSparser = changedNow / changedBefore < 0.95;
    share = changedNow / size / 1.5;
    changedBefore = changedNow;
    if (isSparser) {
      stepSize = eps;
      x.set(best);
      gradient = bestGradient;
    } else stepSize = Math.max(stepSize / 1.5, eps / 10);
  }
  x.set(best);
}

/** Moves the `share` of the elements with the largest gradients by equal parts of `stepSize` along their signs. */
function sparseStep(
  x: Float32Array,
  gradient: Float32Array,
  share: number,
  stepSize: number,
  sizes: Float32Array,
): void {
  const n = x.length;
  for (let i = 0; i < n; i++) sizes[i] = Math.abs(gradient[i]!) || 0;
  const below = Math.floor(Math.min(Math.max((1 - share) * n, 0), n - 1));
  const least = kthLargest(sizes, n - below);
  let count = 0;
  for (let i = 0; i < n; i++) if (Math.abs(gradient[i]!) >= least && gradient[i] !== 0) count++;
  if (count === 0) return;
  const part = stepSize / count;
  for (let i = 0; i < n; i++) {
    const g = gradient[i]!;
    if (Math.abs(g) >= least && g !== 0) x[i]! += g > 0 ? part : -part;
  }
}

/** How many elements differ. */
function changed(x: Float32Array, x0: Float32Array): number {
  let count = 0;
  for (let i = 0; i < x.length; i++) if (x[i] !== x0[i]) count++;
  return count;
}
