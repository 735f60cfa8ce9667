import { distance, type Norm } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { widthOf } from '../ball-geometry.ts';
import { boundaryStepFor } from '../boundary-step.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { refine } from '../refine.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { bisect } from './boundary-search.ts';
import { adversarialStart } from './starting-point.ts';

/** Options of Brendel and Bethge's attack. */
export interface BrendelBethgeOptions {
  /** Steps of each run. */
  readonly steps: number;
  /** Runs, each from noise of its own; the paper has one. */
  readonly restarts: number;
  /** Radius of a step at first, for each element and inputs between 0 and 1; scaled by the bounds' width elsewhere. */
  readonly lr: number;
  /** By what the radius is multiplied `lrNumDecay` times on the way. */
  readonly lrDecay: number;
  readonly lrNumDecay: number;
  /** What is kept of the boundary's earlier normals. */
  readonly momentum: number;
  /** How far a step aims beyond the boundary from outside, and short of it from inside: 1 aims onto it. */
  readonly overshoot: number;
  /** Halvings of the way from the start to the clean sample. */
  readonly binarySearchSteps: number;
  /** Draws of noise to find a start. */
  readonly initTries: number;
  /** Brings the example nearer at the end; the paper does not. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/**
 * Brendel and Bethge's attack (2019): from a point that reaches the goal ({@link adversarialStart}), brought near the boundary, it follows the boundary.
 * Each step is the best one within a trust region that ends on the boundary, taken as a plane, within the bounds
 * ({@link boundaryStepFor}). As the authors' code in foolbox, where the radius also grows with the batch.
 * Cost: for each run `steps` gradients, some dozens of answers to start, and {@link refine}.
 */
export const brendelBethge: Attack<BrendelBethgeOptions> = defineSampleAttack({
  id: 'brendel-bethge',
  title: 'Brendel & Bethge',
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['linf', 'l2', 'l1', 'l0'],
  source: 'https://arxiv.org/abs/1907.01003',
  use: 'Starts on the far side of the boundary, so that gradients that vanish at the sample do not stop it.',
  defaults: {
    steps: 1000,
    restarts: 1,
    lr: 1e-3,
    lrDecay: 0.5,
    lrNumDecay: 20,
    momentum: 0.8,
    overshoot: 1.1,
    binarySearchSteps: 10,
    initTries: 1000,
    refine: true,
    rounding: 'zero',
  },
  check(options) {
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'restarts', 1);
    numberIn(options, 'lr', 0);
    numberIn(options, 'lrDecay', 0, 1);
    wholeFrom(options, 'lrNumDecay', 1);
    numberIn(options, 'momentum', 0, 1, 'or equal');
    numberIn(options, 'overshoot', 1, 2, 'or equal');
    wholeFrom(options, 'binarySearchSteps', 0);
    wholeFrom(options, 'initTries', 1);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps, restarts, binarySearchSteps }) => ({
    gradients: restarts * steps,
    evaluations: restarts * (20 + binarySearchSteps),
  }),
  *talk(victim, options) {
    for (let run = 0; run < options.restarts; run++) {
      const x = yield* adversarialStart(victim, options.initTries, run);
      if (!x) return;
      const way = wayHome(victim.ball.norm, victim.x0, x.slice());
      yield* bisect(victim, way, x, 0, 1, 2 ** -options.binarySearchSteps);
      yield* follow(victim, x, options);
      if (options.refine) yield* refine(victim);
    }
  },
});

/** Follows the boundary from `x`, which is overwritten. */
function* follow(victim: Victim, x: Float32Array, options: BrendelBethgeOptions): Talk {
  const { x0, size, ball } = victim;
  const { steps, momentum, overshoot } = options;
  const stepTo = boundaryStepFor(ball.norm, size, ball.bounds);
  const [low, high] = ball.bounds;
  const normal = new Float32Array(size);
  const step = new Float32Array(size);
  const interval = Math.max(1, Math.floor(steps / options.lrNumDecay));
  let radius = options.lr * size * widthOf(ball.bounds);
  for (let turn = 1; turn <= steps; turn++) {
    const { gradient, margins } = yield* victim.gradient(x, { loss: 'margin' });
    const margin = margins[0]!;
    // The normal points to where the margin falls.
    const kept = turn === 1 ? 0 : momentum;
    for (let i = 0; i < size; i++) normal[i] = kept * normal[i]! + (1 - kept) * (gradient[i]! || 0);
    if ((turn + 1) % interval === 0) radius *= options.lrDecay;
    const gap = (margin > 0 ? overshoot : 2 - overshoot) * margin;
    stepTo({ x, x0, normal, gap, radius }, step);
    for (let i = 0; i < size; i++) x[i] = Math.min(high, Math.max(low, x[i]! + step[i]!));
  }
  yield* victim.answers(x);
}

/**
 * The points between the clean sample (at 0) and `far` (at 1) on which a norm falls evenly: on the line in l2, clipped in linf, with all changes
 * shortened by the same in l1, with the largest changes alone in l0.
 */
function wayHome(norm: Norm, x0: Float32Array, far: Float32Array): (t: number, out: Float32Array) => void {
  const size = x0.length;
  const largest = distance('linf', far, x0, 0, size);
  if (norm === 'l0') {
    const order = Array.from(x0.keys()).filter((i) => far[i] !== x0[i]);
    const change = (i: number) => Math.abs(far[i]! - x0[i]!);
    order.sort((a, b) => change(b) - change(a) || a - b);
    return (t, out) => {
      out.set(x0);
      for (const i of order.slice(0, Math.ceil(t * order.length))) out[i] = far[i]!;
    };
  }
  return (t, out) => {
    for (let i = 0; i < size; i++) {
      const change = far[i]! - x0[i]!;
      const most = t * largest;
      const length = Math.abs(change);
      const kept =
        norm === 'linf'
          ? Math.min(length, most)
          : norm === 'l1'
            ? Math.max(0, length - largest + most)
            : t * length;
      out[i] = x0[i]! + Math.sign(change) * kept;
    }
  };
}
