import { distance } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { widthOf } from '../ball-geometry.ts';
import { clearFixed } from '../free-elements.ts';
import { type Noise, noiseFrom } from '../noise.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import { pointsAtOnce } from '../points-at-once.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { bisect } from './boundary-search.ts';
import { adversarialStart } from './starting-point.ts';

/** Options of Sign-OPT. */
export interface SignOptOptions {
  /** Random directions among which the first one is chosen. */
  readonly numTrial: number;
  /** Directions of one estimate. */
  readonly k: number;
  /** How far an estimate looks, as a share of the direction's length 1. */
  readonly epsilon: number;
  /** First length of a step. */
  readonly alpha: number;
  /** 500 times how closely distances are searched, as a share of the bounds' width; falls where steps no longer gain. */
  readonly beta: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/** A direction of length 1 and how far along it the boundary is. */
interface Found {
  readonly theta: Float32Array;
  readonly far: number;
}

/** Steps of one line search, up and down. */
const SEARCH = 15;

/**
 * Sign-OPT (Cheng et al. 2020): seeks the direction in which the boundary is nearest. Each of `k` random changes of the direction costs one
 * question (is the point at the same distance still right?), and the signs make the gradient of that distance.
 *
 * A step that does not get nearer is found out by one question; the authors' program and ART search its exact distance first.
 * Cost: up to `queries` answers.
 */
export const signOpt: Attack<SignOptOptions> = defineSampleAttack({
  id: 'sign-opt',
  title: 'Sign-OPT',
  needs: 'labels',
  seeks: 'minimum',
  norms: ['l2'],
  source: 'https://arxiv.org/abs/1909.10773',
  use: 'Decisions alone, in l2; slower to begin than HopSkipJump, and independent of its kind of search.',
  defaults: { numTrial: 100, k: 200, epsilon: 0.001, alpha: 0.2, beta: 0.001, queries: 20000 },
  check(options) {
    wholeFrom(options, 'numTrial', 1);
    wholeFrom(options, 'k', 1);
    numberIn(options, 'epsilon', 0);
    numberIn(options, 'alpha', 0);
    numberIn(options, 'beta', 0);
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ queries }) => ({ gradients: 0, evaluations: queries }),
  *talk(victim, { numTrial, k, epsilon, alpha: firstAlpha, beta: firstBeta }) {
    const { size, ball } = victim;
    const width = widthOf(ball.bounds);
    const noise = noiseFrom(victim.rng('directions'));
    let best = yield* firstDirection(victim, noise, numTrial);
    if (!best) return;
    let alpha = firstAlpha;
    let beta = firstBeta;
    const estimate = estimator(victim, noise, k, epsilon);
    const gradient = new Float32Array(size);
    while (beta >= 1e-8 && best.far > 0) {
      yield* estimate(best, gradient);
      const tolerance = (beta / 500) * width;
      let nearer: Found = best;
      for (let i = 0; i < SEARCH; i++) {
        const next: Found | undefined = yield* step(
          victim,
          best.theta,
          gradient,
          alpha,
          nearer.far,
          tolerance,
        );
        alpha *= 2;
        if (!next) break;
        nearer = next;
      }
      for (let i = 0; i < SEARCH && nearer === best; i++) {
        alpha *= 0.25;
        nearer = (yield* step(victim, best.theta, gradient, alpha, best.far, tolerance)) ?? best;
      }
      if (alpha < 1e-4) {
        alpha = 1;
        beta *= 0.1;
      }
      best = nearer;
    }
  },
});

function pointAt({ x0, ball }: Victim, theta: Float32Array) {
  const [low, high] = ball.bounds;
  return (far: number, out: Float32Array) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.min(high, Math.max(low, x0[i]! + far * theta[i]!));
  };
}

/** The nearest boundary among random directions; that of another starting point where none of them reaches the goal. */
function* firstDirection(victim: Victim, noise: Noise, trials: number): Talk<Found | undefined> {
  const { x0, size, ball, answers } = victim;
  const width = widthOf(ball.bounds);
  const tolerance = 1e-3 * width;
  const most = Math.min(trials, pointsAtOnce(size));
  const directions = new Float32Array(most * size);
  const points = new Float32Array(most * size);
  let best: Found | undefined;
  for (let done = 0; done < trials; done += most) {
    const count = Math.min(most, trials - done);
    noise.normals(directions.subarray(0, count * size));
    clearFixed(ball, directions);
    for (let p = 0; p < count; p++)
      pointAt(victim, directions.subarray(p * size, (p + 1) * size))(
        width,
        points.subarray(p * size, (p + 1) * size),
      );
    const { reached } = yield* answers(points, count);
    for (let p = 0; p < count; p++) {
      if (!reached[p]) continue;
      const theta = directions.slice(p * size, (p + 1) * size);
      const far = width * unit(theta);
      best = (yield* search(victim, theta, Math.min(far, best?.far ?? far), far, tolerance)) ?? best;
    }
  }
  if (best) return best;
  const start = yield* adversarialStart(victim, trials);
  if (!start) return undefined;
  const far = distance('l2', start, x0, 0, size);
  const theta = start.map((v, i) => v - x0[i]!);
  unit(theta);
  return yield* search(victim, theta, far, far, tolerance);
}

/** Where the boundary is along `theta` if it is within `limit`; `known` is where the goal is known to be reached. */
function* search(
  victim: Victim,
  theta: Float32Array,
  limit: number,
  known: number,
  tolerance: number,
): Talk<Found | undefined> {
  const point = new Float32Array(victim.size);
  const at = pointAt(victim, theta);
  if (limit < known) {
    at(limit, point);
    const { reached } = yield* victim.answers(point);
    if (!reached[0]) return undefined;
  }
  return { theta, far: yield* bisect(victim, at, point, 0, limit, tolerance) };
}

/**
 * Estimates the gradient of the distance along a direction: the signs of how it changes in `k` random directions, summed. It falls where the point
 * as far away reaches the goal.
 */
function estimator(victim: Victim, noise: Noise, k: number, epsilon: number) {
  const { size, ball, answers } = victim;
  const most = Math.min(k, pointsAtOnce(size));
  const changes = new Float32Array(most * size);
  const points = new Float32Array(most * size);
  const turned = new Float32Array(size);
  return function* ({ theta, far }: Found, gradient: Float32Array): Talk {
    gradient.fill(0);
    for (let done = 0; done < k; done += most) {
      const count = Math.min(most, k - done);
      noise.normals(changes.subarray(0, count * size));
      clearFixed(ball, changes);
      for (let p = 0; p < count; p++) {
        const change = changes.subarray(p * size, (p + 1) * size);
        unit(change);
        for (let i = 0; i < size; i++) turned[i] = theta[i]! + epsilon * change[i]!;
        unit(turned);
        pointAt(victim, turned)(far, points.subarray(p * size, (p + 1) * size));
      }
      const { reached } = yield* answers(points, count);
      for (let p = 0; p < count; p++) {
        const side = (reached[p] ? -1 : 1) / k;
        for (let i = 0; i < size; i++) gradient[i]! += side * changes[p * size + i]!;
      }
    }
  };
}

/** A step against the gradient, if the boundary is nearer than `limit` there. */
function* step(
  victim: Victim,
  theta: Float32Array,
  gradient: Float32Array,
  alpha: number,
  limit: number,
  tolerance: number,
): Talk<Found | undefined> {
  const turned = theta.map((v, i) => v - alpha * gradient[i]!);
  unit(turned);
  const at = pointAt(victim, turned);
  const point = new Float32Array(victim.size);
  let high = limit - tolerance;
  if (high <= 0) return undefined;
  at(high, point);
  const { reached } = yield* victim.answers(point);
  if (!reached[0]) return undefined;
  // The boundary is mostly a little nearer than before: down in growing steps, then by halves.
  const lower = new Float32Array(victim.size);
  for (let share = 0.01; ; share *= 2) {
    const low = Math.max(0, limit * (1 - share));
    if (low === 0) return { theta: turned, far: yield* bisect(victim, at, point, 0, high, tolerance) };
    at(low, lower);
    const answer = yield* victim.answers(lower);
    if (!answer.reached[0])
      return { theta: turned, far: yield* bisect(victim, at, point, low, high, tolerance) };
    high = low;
    point.set(lower);
  }
}

/** Scales to length 1 and gives the length that it had. */
function unit(v: Float32Array): number {
  let total = 0;
  for (let i = 0; i < v.length; i++) total += v[i]! ** 2;
  const length = Math.sqrt(total);
  if (length > 0) for (let i = 0; i < v.length; i++) v[i]! /= length;
  return length;
}
