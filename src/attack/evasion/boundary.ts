import type { Attack } from '../attack.ts';
import { clearFixed } from '../free-elements.ts';
import { noiseFrom } from '../noise.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import { defineSampleAttack } from '../sample-attack.ts';
import { adversarialStart } from './starting-point.ts';

/** Options of the boundary attack. */
export interface BoundaryOptions {
  readonly steps: number;
  /** First length of a step on the sphere around the sample, as a share of the distance. */
  readonly sphericalStep: number;
  /** First length of a step towards the sample, as a share of the distance. */
  readonly sourceStep: number;
  /** It ends once `sourceStep` has become smaller than this. */
  readonly sourceStepConvergence: number;
  /** How fast both lengths follow the share of steps that succeed; at 1 they stay. */
  readonly stepAdaptation: number;
  /** Draws of noise for the starting point. */
  readonly initSize: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/** Every so many steps the step on the sphere is asked about by itself, to learn how well both parts succeed. */
const WATCH = 10;

/**
 * Shares of steps that should succeed: with both parts, and on the sphere alone. On a flat boundary a step towards the sample of length s succeeds most
 * often after one of √(2s) on the sphere, and the way is shortest with 12 % (27 %) successes; a little more of them measured better.
 */
const TOWARDS = 0.16;
const ON_SPHERE = 0.31;

/** Longest step towards the sample, as a share of the distance. */
const LONGEST = 0.5;

/**
 * The boundary attack (Brendel, Rauber & Bethge 2018): a random walk along the boundary, each step at random on the sphere around the sample, then a
 * little towards it; the lengths follow how often steps succeed. Deviation: they do so after every step, where the authors look at the
 * last 30 and 100 of every tenth step, too late for a few thousand queries; the step on the sphere grows with the root of the other.
 * Cost: 1.1 answers a step, up to `queries`, one after another.
 */
export const boundary: Attack<BoundaryOptions> = defineSampleAttack({
  id: 'boundary',
  title: 'Boundary attack',
  needs: 'labels',
  seeks: 'minimum',
  norms: ['l2'],
  source: 'https://arxiv.org/abs/1712.04248',
  use: 'The first attack on decisions alone, to compare with published figures; HopSkipJump needs fewer queries.',
  defaults: {
    steps: 25000,
    sphericalStep: 0.14,
    sourceStep: 0.01,
    sourceStepConvergence: 1e-7,
    stepAdaptation: 1.5,
    initSize: 100,
    queries: 27600,
  },
  check(options) {
    wholeFrom(options, 'steps', 1);
    numberIn(options, 'sphericalStep', 0);
    numberIn(options, 'sourceStep', 0);
    numberIn(options, 'sourceStepConvergence', 0, 1, 'or equal');
    numberIn(options, 'stepAdaptation', 1);
    wholeFrom(options, 'initSize', 1);
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ steps, queries }) => ({
    gradients: 0,
    evaluations: Math.min(queries, Math.ceil(steps * (1 + 1 / WATCH))),
  }),
  *talk(victim, options) {
    const { x0, size, ball, answers } = victim;
    const [low, high] = ball.bounds;
    const { steps, sourceStepConvergence, stepAdaptation } = options;
    let { sourceStep } = options;
    const x = yield* adversarialStart(victim, options.initSize);
    if (!x) return;
    const noise = noiseFrom(victim.rng('walk'));
    const eta = new Float32Array(size);
    const points = new Float32Array(2 * size);
    const candidate = points.subarray(0, size);
    const spherical = points.subarray(size);
    const follow = (hit: boolean, wanted: number) => stepAdaptation ** (Number(hit) - wanted);
    let ratio = options.sphericalStep / Math.sqrt(sourceStep);
    for (let step = 1; step <= steps && sourceStep >= sourceStepConvergence; step++) {
      const far = length(x, x0);
      if (!(far > 0)) return;
      noise.normals(eta);
      clearFixed(ball, eta);
      propose(x, x0, far, eta, ratio * Math.sqrt(sourceStep), sourceStep, [low, high], candidate, spherical);
      const watching = step % WATCH === 0;
      const { reached } = yield* answers(points, watching ? 2 : 1);
      const isNearer = reached[0]! && length(candidate, x0) < far;
      if (isNearer) x.set(candidate);
      sourceStep = Math.min(LONGEST, sourceStep * follow(isNearer, TOWARDS));
      if (watching) ratio *= follow(reached[1]!, ON_SPHERE);
    }
  },
});

/** Draws the next point on the sphere through `x` around `x0`, and from there one nearer to `x0`; `eta` is used up. */
function propose(
  x: Float32Array,
  x0: Float32Array,
  far: number,
  eta: Float32Array,
  sphericalStep: number,
  sourceStep: number,
  [low, high]: readonly [number, number],
  candidate: Float32Array,
  spherical: Float32Array,
): void {
  const size = x.length;
  let along = 0;
  for (let i = 0; i < size; i++) along += (eta[i]! * (x0[i]! - x[i]!)) / far;
  let total = 0;
  for (let i = 0; i < size; i++) {
    eta[i] = eta[i]! - (along * (x0[i]! - x[i]!)) / far;
    total += eta[i]! ** 2;
  }
  const scale = (sphericalStep * far) / Math.max(Math.sqrt(total), 1e-30);
  // Back onto the sphere by Pythagoras.
  const shrink = 1 / Math.sqrt(sphericalStep ** 2 + 1);
  let left = 0;
  for (let i = 0; i < size; i++) {
    const v = x0[i]! + (scale * eta[i]! - (x0[i]! - x[i]!)) * shrink;
    spherical[i] = Math.min(high, Math.max(low, v));
    left += (x0[i]! - spherical[i]!) ** 2;
  }
  left = Math.sqrt(left);
  // What clipping has already brought it nearer counts towards the step.
  const share = left > 0 ? Math.max(0, sourceStep * far + left - far) / left : 0;
  for (let i = 0; i < size; i++) {
    const v = spherical[i]! + share * (x0[i]! - spherical[i]!);
    candidate[i] = Math.min(high, Math.max(low, v));
  }
}

function length(x: Float32Array, x0: Float32Array): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += (x[i]! - x0[i]!) ** 2;
  return Math.sqrt(total);
}
