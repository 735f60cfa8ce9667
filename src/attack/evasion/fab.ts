import { distance } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { drawBack } from '../draw-back.ts';
import {
  distanceToHyperplane,
  type ProjectionNorm,
  projectionMemory,
  toHyperplane,
} from '../hyperplane-projection.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { allLeadsOf, type Rival, rankedRivals, rivalsOf } from '../rivals.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { scatter } from '../scatter.ts';

/** Options of FAB. */
export interface FabOptions {
  /** Steps of each run. */
  readonly steps: number;
  /** Runs: the first from the sample itself, the others from random points within half of eps (or of the best distance, where that is less). */
  readonly restarts: number;
  /** Most weight of the way back to the sample. */
  readonly alphaMax: number;
  /** By how much a step overshoots the plane: 1 steps onto it. */
  readonly eta: number;
  /** What is kept of the distance from the sample once a point reaches the goal. */
  readonly beta: number;
  /** Draws the nearest example back to the boundary at the end; AutoAttack does not. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** Options of targeted FAB. */
export interface FabTargetedOptions extends FabOptions {
  /** Classes to run at, the likeliest first. */
  readonly targets: number;
}

function check(options: FabOptions): void {
  wholeFrom(options, 'steps', 1);
  wholeFrom(options, 'restarts', 1);
  numberIn(options, 'alphaMax', 0, 1, 'or equal');
  numberIn(options, 'eta', 0);
  numberIn(options, 'beta', 0, 1, 'or equal');
  choiceOf(options, 'rounding', ['zero', 'straight-through']);
}

/** FAB against all rivals at once, for attacks that contain it. */
export function* fabTalk(victim: Victim, options: FabOptions): Talk {
  yield* runs(victim, options, rivalsOf(victim), { nearest: Number.POSITIVE_INFINITY }, []);
  if (options.refine) yield* drawBack(victim);
}

/** FAB against the likeliest rivals one after another, for attacks that contain it. */
export function* fabTargetedTalk(victim: Victim, options: FabTargetedOptions): Talk {
  const rivals = yield* rankedRivals(victim);
  const found = { nearest: Number.POSITIVE_INFINITY };
  for (const rival of rivals.slice(0, options.targets))
    yield* runs(victim, options, [rival], found, [`class ${rival}`]);
  if (options.refine) yield* drawBack(victim);
}

/** Distance of the nearest point that reaches the goal, over all runs. */
interface Found {
  nearest: number;
}

function* runs(
  victim: Victim,
  options: FabOptions,
  rivals: readonly Rival[],
  found: Found,
  keys: readonly string[],
): Talk {
  for (let restart = 0; restart < options.restarts; restart++) {
    const x = victim.x0.slice();
    if (restart > 0) scatter(victim, x, Math.min(victim.ball.eps, found.nearest) / 2, [...keys, restart]);
    yield* run(victim, options, rivals, x, found);
  }
}

/** One run from `x`, which is overwritten. */
function* run(
  victim: Victim,
  options: FabOptions,
  rivals: readonly Rival[],
  x: Float32Array,
  found: Found,
): Talk {
  const { x0, size, ball, answers } = victim;
  const { alphaMax, eta, beta } = options;
  const norm = ball.norm as ProjectionNorm;
  const leadsAt = allLeadsOf(victim, rivals, { untilReached: false });
  const normal = new Float32Array(size);
  const fromHere = new Float32Array(size);
  const fromClean = new Float32Array(size);
  const memory = projectionMemory(size);
  for (let step = 0; step < options.steps; step++) {
    let least = Number.POSITIVE_INFINITY;
    let gap = 0;
    normal.fill(0);
    for (const { value, gradient } of yield* leadsAt(x)) {
      const far = distanceToHyperplane(norm, gradient, value);
      if (!(far < least)) continue;
      least = far;
      gap = -value;
      normal.set(gradient);
    }
    const gapOfClean = gap + along(normal, x, x0);
    const a = Math.max(toHyperplane(norm, x, normal, gap, ball.bounds, fromHere, memory), 1e-8);
    const b = Math.max(toHyperplane(norm, x0, normal, gapOfClean, ball.bounds, fromClean, memory), 1e-8);
    const alpha = Math.min(a / (a + b), alphaMax);
    // Where nothing moves (every gradient is zero) no later step will either.
    if (!land(x, x0, fromHere, fromClean, eta, alpha, ball.bounds)) return;
    const { reached } = yield* answers(x);
    if (!reached[0]) continue;
    found.nearest = Math.min(found.nearest, distance(norm, x, x0, 0, size));
    for (let i = 0; i < size; i++) x[i] = x0[i]! + (x[i]! - x0[i]!) * beta;
  }
}

/** `⟨normal, x − x0⟩`; loops over elements are functions of their own, which are compiled better than what is inside a talk. */
function along(normal: Float32Array, x: Float32Array, x0: Float32Array): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += normal[i]! * (x[i]! - x0[i]!);
  return total;
}

/** Moves `x` between the two projections, `eta` times as far as they are, `alpha` of the way from its own to the clean sample's; whether it moved. */
function land(
  x: Float32Array,
  x0: Float32Array,
  fromHere: Float32Array,
  fromClean: Float32Array,
  eta: number,
  alpha: number,
  [low, high]: readonly [number, number],
): boolean {
  let moved = 0;
  for (let i = 0; i < x.length; i++) {
    const before = x[i]!;
    const here = before + eta * fromHere[i]!;
    const clean = x0[i]! + eta * fromClean[i]!;
    const next = Math.fround(Math.min(high, Math.max(low, here * (1 - alpha) + clean * alpha)));
    moved += Math.abs(next - before);
    x[i] = next;
  }
  return moved !== 0;
}

const shared = {
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['linf', 'l2', 'l1'],
  source: 'https://arxiv.org/abs/1907.02044',
} as const;

const defaults: FabOptions = {
  steps: 100,
  restarts: 1,
  alphaMax: 0.1,
  eta: 1.05,
  beta: 0.9,
  refine: true,
  rounding: 'zero',
};

/**
 * The fast adaptive boundary attack (Croce & Hein 2020), as AutoAttack runs it: at each step the nearest rival's boundary is taken
 * as a plane, current point and clean sample are projected onto it within the bounds, and the next point lies between
 * both, a little beyond. A point that reaches the goal is drawn back towards the sample. The paper's final search is left out, as it
 * is there. Goals that are not untargeted classification have one boundary, their margin.
 * Cost: `restarts × steps` answers, and as many gradients for each class but one.
 */
export const fab: Attack<FabOptions> = defineSampleAttack({
  ...shared,
  id: 'fab',
  title: 'Fast adaptive boundary attack',
  use: 'Least changes in any norm without a step size to tune; costs a gradient for every class, so fab-t scales better.',
  defaults,
  check,
  cost: ({ steps, restarts }) => ({ gradients: restarts * steps, evaluations: restarts * steps }),
  talk: fabTalk,
});

/**
 * Targeted FAB, as in AutoAttack: one run for each of the likeliest other classes, with the boundary to that class alone; any wrong
 * class counts. Cost: `targets × restarts × steps` gradients and as many answers.
 */
export const fabT: Attack<FabTargetedOptions> = defineSampleAttack({
  ...shared,
  id: 'fab-t',
  title: 'Fast adaptive boundary attack, class by class',
  use: 'The minimum-norm part of AutoAttack; as strong as fab and independent of the number of classes.',
  defaults: { ...defaults, targets: 9 },
  check(options) {
    check(options);
    wholeFrom(options, 'targets', 1);
  },
  cost: ({ steps, restarts, targets }) => ({
    gradients: targets * restarts * steps,
    evaluations: 1 + targets * restarts * steps,
  }),
  talk: fabTargetedTalk,
});
