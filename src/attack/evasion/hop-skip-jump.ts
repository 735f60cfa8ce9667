import { distance } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { steepest, widthOf } from '../ball-geometry.ts';
import { between, finiteLimits } from '../between.ts';
import { clearFixed } from '../free-elements.ts';
import { noiseFrom } from '../noise.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import { pointsAtOnce } from '../points-at-once.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { bisectToClean } from './boundary-search.ts';
import { adversarialStart } from './starting-point.ts';

/** Options of HopSkipJump. */
export interface HopSkipJumpOptions {
  readonly steps: number;
  /** Questions of the first estimate of a gradient; step t takes √t times as many. */
  readonly initEval: number;
  readonly maxEval: number;
  /** Draws of noise for the starting point. */
  readonly initSize: number;
  /** The search for the boundary ends at `gamma / d^1.5` of the distance in l2 and `gamma / d²` in linf, d being the number of elements. */
  readonly gamma: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/** A step that had to be halved this often leads nowhere. */
const HALVINGS = 30;

/**
 * HopSkipJump (Chen, Jordan & Wainwright 2020), with geometric step search: estimates the gradient at the boundary from decisions alone, steps along it, and
 * searches the boundary again towards the clean sample. Constants as in the authors' program and foolbox. Starting points: see
 * {@link adversarialStart}. Cost: up to `queries` answers.
 */
export const hopSkipJump: Attack<HopSkipJumpOptions> = defineSampleAttack({
  id: 'hop-skip-jump',
  title: 'HopSkipJump',
  needs: 'labels',
  seeks: 'minimum',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1904.02144',
  use: 'The usual strong attack on a model that shows nothing but its decisions.',
  defaults: { steps: 64, initEval: 100, maxEval: 10000, initSize: 100, gamma: 1, queries: 25000 },
  check(options) {
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'initEval', 1);
    wholeFrom(options, 'maxEval', 1);
    wholeFrom(options, 'initSize', 1);
    numberIn(options, 'gamma', 0);
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ queries }) => ({ gradients: 0, evaluations: queries }),
  *talk(victim, { steps, initEval, maxEval, initSize, gamma }) {
    const { x0, size, ball, answers } = victim;
    const [low, high] = ball.bounds;
    const norm = ball.norm === 'linf' ? 'linf' : 'l2';
    const tolerance = gamma / (norm === 'l2' ? size ** 1.5 : size ** 2);
    const x = yield* adversarialStart(victim, initSize);
    if (!x) return;
    yield* bisectToClean(victim, norm, x, tolerance);
    const evals = (step: number) => Math.min(Math.floor(initEval * Math.sqrt(step + 1)), maxEval);
    const estimate = estimator(victim, norm, evals(steps));
    const direction = new Float32Array(size);
    const moved = new Float32Array(size);
    for (let step = 0; step < steps; step++) {
      const far = distance(norm, x, x0, 0, size);
      if (!(far > 0)) return;
      const radius = step === 0 ? 0.1 * widthOf(ball.bounds) : (gamma * far) / size;
      yield* estimate(x, radius, evals(step), direction);
      steepest(norm, direction, direction);
      let length = far / Math.sqrt(step + 1);
      let found = false;
      for (let halving = 0; halving < HALVINGS && !found; halving++) {
        for (let i = 0; i < size; i++)
          moved[i] = Math.min(high, Math.max(low, x[i]! + length * direction[i]!));
        const { reached } = yield* answers(moved);
        found = reached[0]!;
        length /= 2;
      }
      if (!found) continue;
      x.set(moved);
      yield* bisectToClean(victim, norm, x, tolerance);
    }
  },
});

/**
 * Estimates the gradient at a point, up to length: the mean of random directions, each weighed by its decision (±1) less the mean of all
 * decisions, which lowers the variance (equation 16 of the paper).
 */
function estimator({ size, ball, rng, answers }: Victim, norm: 'linf' | 'l2', mostEval: number) {
  const noise = noiseFrom(rng('directions'));
  const most = Math.min(mostEval, pointsAtOnce(size));
  const points = new Float32Array(most * size);
  /** The moves added up: all of them, and those that reach the goal. */
  const all = new Float64Array(size);
  const good = new Float64Array(size);
  return function* (x: Float32Array, radius: number, count: number, gradient: Float32Array): Talk {
    all.fill(0);
    good.fill(0);
    let hits = 0;
    for (let done = 0; done < count; done += most) {
      const here = Math.min(most, count - done);
      const drawn = points.subarray(0, here * size);
      if (norm === 'l2') noise.normals(drawn);
      else noise.uniforms(drawn, -1, 1);
      clearFixed(ball, drawn);
      scatter(drawn, x, radius, ball.bounds);
      const places = Array.from({ length: here }, (_, p) => p * size);
      addMoves(all, drawn, places, x);
      const { reached } = yield* answers(drawn, here, 'probe');
      const reaching = places.filter((_, p) => reached[p]);
      hits += reaching.length;
      addMoves(good, drawn, reaching, x);
    }
    // Σ (±1 − mean) · move = 2 · good − (1 + mean) · all; without the mean where all decisions are the same.
    const mean = hits === 0 || hits === count ? 0 : (2 * hits) / count - 1;
    for (let i = 0; i < size; i++) gradient[i] = 2 * good[i]! - (1 + mean) * all[i]!;
  };
}

/** Turns directions into points at most `radius` away from `x`, within the bounds; in a function of its own, which is compiled better than a talk. */
function scatter(
  directions: Float32Array,
  x: Float32Array,
  radius: number,
  bounds: readonly [number, number],
): void {
  const [low, high] = finiteLimits(bounds, x, radius);
  const size = x.length;
  for (let at = 0; at < directions.length; at += size) {
    const scale = radius / (lengthOf(directions, at, size) + 1e-12);
    for (let i = 0; i < size; i++)
      directions[at + i] = between(x[i]! + scale * directions[at + i]!, low, high);
  }
}

/** Length in l2 of the `size` numbers from `at` on, in four sums, so that no addition waits for the one before. */
function lengthOf(values: Float32Array, at: number, size: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const end = at + size;
  let i = at;
  for (; i + 3 < end; i += 4) {
    a += values[i]! * values[i]!;
    b += values[i + 1]! * values[i + 1]!;
    c += values[i + 2]! * values[i + 2]!;
    d += values[i + 3]! * values[i + 3]!;
  }
  for (; i < end; i++) a += values[i]! * values[i]!;
  return Math.sqrt(a + b + c + d);
}

/** Adds what lies between `x` and each of the points that begin at `places`, four points at a time. */
function addMoves(sum: Float64Array, points: Float32Array, places: readonly number[], x: Float32Array): void {
  let p = 0;
  for (; p + 3 < places.length; p += 4) {
    const [a, b, c, d] = places.slice(p, p + 4) as [number, number, number, number];
    for (let i = 0; i < x.length; i++)
      sum[i]! += points[a + i]! + points[b + i]! + (points[c + i]! + points[d + i]!) - 4 * x[i]!;
  }
  for (; p < places.length; p++) {
    const a = places[p]!;
    for (let i = 0; i < x.length; i++) sum[i]! += points[a + i]! - x[i]!;
  }
}
