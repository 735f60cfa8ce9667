import { distance } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { projectOnto, steepest, widthOf } from '../ball-geometry.ts';
import { distanceToHyperplane } from '../hyperplane-projection.ts';
import { kthLargest } from '../kth-largest.ts';
import { fromManyStarts } from '../many-starts.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';

/** Options of FMN. */
export interface FmnOptions {
  /** Steps of each run. */
  readonly steps: number;
  /** Runs: the first from the sample itself, the others from random points within half of the best distance. */
  readonly restarts: number;
  /** Length of the first step, for inputs between 0 and 1; scaled by the bounds' width elsewhere. */
  readonly maxStep: number;
  /** Where that length ends. */
  readonly minStep: number;
  /** By what share the radius grows or shrinks at the first step. */
  readonly gamma: number;
  /** Brings the example nearer at the end; the paper does not. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** Where the radius' share of change ends. */
const LAST_GAMMA = 0.001;

/**
 * The fast minimum-norm attack (Pintor et al. 2021): steps along the margin's gradient at unit length, projected onto a ball around the sample
 * whose radius is the linear estimate of the boundary's distance until an example is found, then shrinks after a point that
 * reaches the goal and grows after one that does not; both step and change of radius shrink along a cosine. Unlike the paper's, the radius never shrinks
 * before an example is found: points may creep up to a flat boundary, or stick where bounds take back what a step wins. In l0 the length of a step is
 * that of its largest elements, as many as the radius allows, of those that bounds leave room for: the others are undone again, and in the
 * paper's form the more elements a sample has, the shorter is what remains of a step. Cost: for each run `steps` gradients, an answer, and
 * what brings it nearer.
 */
export const fmn: Attack<FmnOptions> = defineSampleAttack({
  id: 'fmn',
  title: 'Fast minimum-norm attack',
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['linf', 'l2', 'l1', 'l0'],
  source: 'https://arxiv.org/abs/2102.12827',
  use: 'The first choice for least distances in any norm, l0 included: near the best for the price of one run of PGD.',
  defaults: {
    steps: 100,
    restarts: 1,
    maxStep: 1,
    minStep: 0.01,
    gamma: 0.05,
    refine: true,
    rounding: 'zero',
  },
  check(options) {
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'restarts', 1);
    numberIn(options, 'maxStep', 0);
    numberIn(options, 'minStep', 0, options.maxStep);
    numberIn(options, 'gamma', 0, 1);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps, restarts }) => ({ gradients: restarts * steps, evaluations: restarts }),
  *talk(victim, options) {
    yield* fromManyStarts(victim, { restarts: options.restarts, isRefined: options.refine }, (start) =>
      descend(victim, start, options),
    );
  },
});

/** One run from `x`, which is overwritten. */
function* descend(victim: Victim, x: Float32Array, { steps, maxStep, minStep, gamma }: FmnOptions): Talk {
  const { x0, size, ball } = victim;
  const { norm, bounds } = ball;
  const [low, high] = bounds;
  const width = widthOf(bounds);
  const falling = (from: number, to: number, step: number) =>
    to + ((from - to) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
  const corner = x0.map((v) => (v - low > high - v ? low : high));
  /** No example is farther than the farthest corner. */
  const furthest = norm === 'l0' ? size : distance(norm, corner, x0, 0, size);
  const direction = new Float32Array(size);
  let radius = norm === 'l0' ? 1 : Number.POSITIVE_INFINITY;
  let best = furthest;
  let found = false;
  for (let step = 0; step < steps; step++) {
    const { gradient, margins, reached } = yield* victim.gradient(x, { loss: 'margin' });
    const share = falling(gamma, LAST_GAMMA, step);
    const far = distance(norm, x, x0, 0, size);
    if (reached[0]) {
      found = true;
      best = Math.min(best, far);
    }
    if (norm === 'l0') {
      // At least one element more or fewer.
      radius = reached[0]
        ? Math.min(radius - 1, Math.floor(radius * (1 - share)), best)
        : Math.max(radius + 1, Math.floor(radius * (1 + share)));
      radius = Math.max(1, radius);
    } else if (reached[0]) radius = Math.min(radius * (1 - share), best);
    else if (found) radius *= 1 + share;
    else {
      const estimate = far + distanceToHyperplane(norm, gradient, margins[0]!);
      radius = step === 0 ? estimate : Math.max(estimate, radius * (1 + share));
    }
    radius = Math.min(radius, furthest);
    if (norm === 'l0') steepestFew(gradient, x, bounds, radius, direction);
    else steepest('l2', gradient, direction);
    const length = width * falling(maxStep, minStep, step);
    for (let i = 0; i < size; i++) x[i]! += length * direction[i]!;
    projectOnto({ norm, eps: radius, bounds }, x, x0);
  }
  yield* victim.answers(x);
}

/** The gradient where bounds leave room to follow it from `x`, its `count` largest elements together at length 1; written to `out`. */
function steepestFew(
  gradient: Float32Array,
  x: Float32Array,
  [low, high]: readonly [number, number],
  count: number,
  out: Float32Array,
): void {
  const room = (g: number, i: number) => !((g > 0 && x[i]! >= high) || (g < 0 && x[i]! <= low));
  steepest(
    'l2',
    gradient.map((g, i) => (room(g, i) ? g : 0)),
    out,
  );
  const least = kthLargest(out.map(Math.abs), Math.min(count, out.length));
  let squared = 0;
  for (const v of out) if (Math.abs(v) >= least) squared += v * v;
  if (squared === 0) return;
  const scale = 1 / Math.sqrt(squared);
  for (let i = 0; i < out.length; i++) out[i]! *= scale;
}
