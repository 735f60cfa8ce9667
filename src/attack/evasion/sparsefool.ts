import type { Attack } from '../attack.ts';
import { toHyperplane } from '../hyperplane-projection.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { refine } from '../refine.ts';
import { type Rival, rankedRivals } from '../rivals.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { overPlanes } from './deepfool.ts';

/** Options of SparseFool. */
export interface SparseFoolOptions {
  readonly steps: number;
  /** How far behind the boundary the plane is set, as a multiple of DeepFool's change: larger needs fewer steps and changes more. */
  readonly lambda: number;
  /** By how much of itself the change overshoots the plane. */
  readonly overshoot: number;
  /** Steps of each DeepFool. */
  readonly deepFoolSteps: number;
  /** Classes that DeepFool looks at, the label and the likeliest others. */
  readonly candidates: number;
  /** Takes elements out at the end that the example does not need; the paper does not. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** By how much the plane is crossed, for a normal of length 1. */
const CROSSING = 1e-3;

/**
 * SparseFool (Modas et al. 2019): DeepFool finds a point of the boundary, the boundary there is taken as a plane, and the fewest elements
 * that reach it within the bounds are changed, each as far as it goes (the box-constrained projection in l1); from there again, until a point
 * reaches the goal. Deviations: DeepFool's change counts as far as the bounds let it (many values of a picture lie on them, and the plane would be
 * set too far away), and a second walk takes the plane from further behind, as torchattacks does; neither walk is always the better one.
 * Elements are values, not pixels of several channels. Cost: up to `2 × steps` times DeepFool's, usually a few; and {@link refine}.
 */
export const sparseFool: Attack<SparseFoolOptions> = defineSampleAttack({
  id: 'sparsefool',
  title: 'SparseFool',
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['l0'],
  source: 'https://arxiv.org/abs/1811.02248',
  use: 'Few changed values for little computation, on large inputs too.',
  defaults: {
    steps: 20,
    lambda: 3,
    overshoot: 0.02,
    deepFoolSteps: 50,
    candidates: 10,
    refine: true,
    rounding: 'zero',
  },
  check(options) {
    wholeFrom(options, 'steps', 1);
    numberIn(options, 'lambda', 0);
    numberIn(options, 'overshoot', 0, Number.MAX_VALUE, 'or equal');
    wholeFrom(options, 'deepFoolSteps', 1);
    wholeFrom(options, 'candidates', 2);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps, deepFoolSteps, candidates }) => ({
    gradients: 2 * steps * (deepFoolSteps * (candidates - 1) + 1),
    evaluations: 1 + 2 * steps,
  }),
  *talk(victim, options) {
    const rivals = (yield* rankedRivals(victim)).slice(0, options.candidates - 1);
    yield* walk(victim, options, rivals, 'here');
    yield* walk(victim, options, rivals, 'beyond');
    if (options.refine) yield* refine(victim);
  },
});

/**
 * One walk. `here` takes the plane from the boundary's own gradient and goes on from where it stands; `beyond` takes the gradient as far behind the
 * boundary as the plane is set, and begins at the clean sample each time.
 */
function* walk(
  victim: Victim,
  { steps, lambda, overshoot, deepFoolSteps }: SparseFoolOptions,
  rivals: readonly Rival[],
  where: 'here' | 'beyond',
): Talk {
  const { x0, size, ball } = victim;
  const [low, high] = ball.bounds;
  const within = (value: number) => Math.min(high, Math.max(low, value));
  const x = x0.slice();
  const point = new Float32Array(size);
  const step = new Float32Array(size);
  for (let turn = 0; turn < steps; turn++) {
    const change = yield* overPlanes(victim, x, rivals, { steps: deepFoolSteps, overshoot });
    const from = where === 'here' ? x : x0;
    for (let i = 0; i < size; i++) {
      // As far as DeepFool could go: what lies outside of the bounds reaches nothing.
      const reached = within(x[i]! + (1 + overshoot) * change[i]!) - from[i]!;
      change[i] = lambda * reached;
      point[i] = from[i]! + (where === 'here' ? reached : change[i]!);
    }
    const { gradient } = yield* victim.gradient(point, { loss: 'margin', probe: true });
    let [gap, squared] = [0, 0];
    for (let i = 0; i < size; i++) {
      gap += gradient[i]! * change[i]!;
      squared += gradient[i]! * gradient[i]!;
    }
    const crossing = Math.sign(gap) * CROSSING * Math.sqrt(squared);
    if (!(toHyperplane('l1', from, gradient, gap + crossing, ball.bounds, step) > 0)) return;
    for (let i = 0; i < size; i++) {
      x[i] = from[i]! + step[i]!;
      point[i] = within(x0[i]! + (1 + overshoot) * (x[i]! - x0[i]!));
    }
    if ((yield* victim.answers(point)).reached[0]) return;
    if (where === 'beyond') x.set(point);
  }
}
