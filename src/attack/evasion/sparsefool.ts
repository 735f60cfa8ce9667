import type { Attack } from '../attack.ts';
import { toHyperplane } from '../hyperplane-projection.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import { refine } from '../refine.ts';
import { rankedRivals } from '../rivals.ts';
import { defineSampleAttack } from '../sample-attack.ts';
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
 * reaches the goal. Elements are values, not pixels of several channels. Cost: up to `steps` times DeepFool's, usually one or two;
 * and {@link refine}.
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
    gradients: steps * (deepFoolSteps * (candidates - 1) + 1),
    evaluations: 1 + steps,
  }),
  *talk(victim, options) {
    const { x0, size, ball } = victim;
    const { lambda, overshoot, deepFoolSteps } = options;
    const [low, high] = ball.bounds;
    const rivals = (yield* rankedRivals(victim)).slice(0, options.candidates - 1);
    const x = x0.slice();
    const point = new Float32Array(size);
    const step = new Float32Array(size);
    for (let turn = 0; turn < options.steps; turn++) {
      const change = yield* overPlanes(victim, x, rivals, { steps: deepFoolSteps, overshoot });
      for (let i = 0; i < size; i++) point[i] = x[i]! + change[i]!;
      const { gradient } = yield* victim.gradient(point, { loss: 'margin', probe: true });
      let [gap, squared] = [0, 0];
      for (let i = 0; i < size; i++) {
        gap += gradient[i]! * lambda * change[i]!;
        squared += gradient[i]! * gradient[i]!;
      }
      const crossing = Math.sign(gap) * CROSSING * Math.sqrt(squared);
      if (!(toHyperplane('l1', x, gradient, gap + crossing, ball.bounds, step) > 0)) break;
      for (let i = 0; i < size; i++) {
        x[i]! += step[i]!;
        point[i] = Math.min(high, Math.max(low, x0[i]! + (1 + overshoot) * (x[i]! - x0[i]!)));
      }
      if ((yield* victim.answers(point)).reached[0]) break;
    }
    if (options.refine) yield* refine(victim);
  },
});
