import type { Attack } from '../attack.ts';
import { steepest, widthOf } from '../ball-geometry.ts';
import { distanceToHyperplane } from '../hyperplane-projection.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { refine } from '../refine.ts';
import { allLeadsOf, type Rival, rankedRivals } from '../rivals.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';

/** Options of DeepFool. */
export interface DeepFoolOptions {
  readonly steps: number;
  /** Classes that are looked at, the label and the likeliest others. */
  readonly candidates: number;
  /** By how much of itself the change overshoots the boundary. */
  readonly overshoot: number;
  /** Brings the example nearer at the end; the paper does not. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** Added to the length of every step, as a share of the bounds' width, so that steps do not vanish before the boundary. */
const LEAST_STEP = 1e-4;

/**
 * DeepFool (Moosavi-Dezfooli et al. 2016): takes the boundary to every rival class as a plane, adds the shortest way (in l2 or linf) to
 * the nearest to the change so far, and ends with the first point of another class. The change overshoots on the way, as in the authors'
 * code and foolbox. Cost: up to `steps × (candidates − 1)` gradients, one answer more, and {@link refine}.
 */
export const deepFool: Attack<DeepFoolOptions> = defineSampleAttack({
  id: 'deepfool',
  title: 'DeepFool',
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['l2', 'linf'],
  source: 'https://arxiv.org/abs/1511.04599',
  use: 'A near example after a few steps: the cheapest estimate of a median distance, and an upper bound only.',
  defaults: { steps: 50, candidates: 10, overshoot: 0.02, refine: true, rounding: 'zero' },
  check(options) {
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'candidates', 2);
    numberIn(options, 'overshoot', 0, Number.MAX_VALUE, 'or equal');
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps, candidates }) => ({ gradients: steps * (candidates - 1), evaluations: 2 }),
  *talk(victim, options) {
    const rivals = yield* rankedRivals(victim);
    yield* overPlanes(victim, victim.x0, rivals.slice(0, options.candidates - 1), options);
    if (options.refine) yield* refine(victim);
  },
});

/**
 * DeepFool's walk from `start`. Returns the change, without the overshoot, that leads to the first point that reaches the goal or to where the
 * steps ended. In linf where the ball says so, in l2 for every other norm.
 */
export function* overPlanes(
  victim: Victim,
  start: Float32Array,
  rivals: readonly Rival[],
  { steps, overshoot }: Pick<DeepFoolOptions, 'steps' | 'overshoot'>,
): Talk<Float64Array> {
  const { size, ball } = victim;
  const norm = ball.norm === 'linf' ? 'linf' : 'l2';
  const leadsAt = allLeadsOf(victim, rivals, { untilReached: true });
  const x = start.slice();
  const change = new Float64Array(size);
  const normal = new Float32Array(size);
  for (let step = 0; step < steps; step++) {
    let least = Number.POSITIVE_INFINITY;
    for (const { value, gradient, reached } of yield* leadsAt(x)) {
      if (reached) return change;
      const far = distanceToHyperplane(norm, gradient, value);
      if (!(far < least)) continue;
      least = far;
      normal.set(gradient);
    }
    if (least === Number.POSITIVE_INFINITY) break;
    steepest(norm, normal, normal);
    const length = least + LEAST_STEP * widthOf(ball.bounds);
    advance(x, change, start, normal, length, overshoot, ball.bounds);
  }
  yield* victim.answers(x);
  return change;
}

/** Adds a step to the change, and goes as far as it says and the overshoot wants, within the bounds; in a loop of its own, which is compiled better. */
function advance(
  x: Float32Array,
  change: Float64Array,
  start: Float32Array,
  normal: Float32Array,
  length: number,
  overshoot: number,
  [low, high]: readonly [number, number],
): void {
  for (let i = 0; i < x.length; i++) {
    change[i]! += length * normal[i]!;
    x[i] = Math.min(high, Math.max(low, start[i]! + (1 + overshoot) * change[i]!));
  }
}
