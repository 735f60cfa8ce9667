import { drawBack } from './draw-back.ts';
import { bisect } from './evasion/boundary-search.ts';
import { toHyperplane } from './hyperplane-projection.ts';
import type { Talk } from './question.ts';
import { refineSparse } from './refine-sparse.ts';
import type { Victim } from './sample-attack.ts';

/** Most planes that are tried, what a step must win to go on, how far a point is set behind its plane, and halvings of a way back. */
const PLANES = 5;
const WORTH = 1e-3;
const BEHIND = 1e-4;
const HALVINGS = 5;

/**
 * The nearest point to the clean sample `x0` with `⟨normal, point − x0⟩ = gap`, or as far along as the bounds permit: its change is written to
 * `step`, what it measures is given back.
 */
export type PlaneStep = (normal: Float32Array, gap: number, step: Float32Array) => number;

/**
 * Brings the nearest example so far nearer, whatever found it: the boundary at the example is taken as a plane, the point of that plane
 * nearest to the clean sample (within the bounds) is the next candidate, and where it misses the goal, the first point on the way
 * from it to the example that reaches it. Repeated while it wins anything; the end is drawn back along the line ({@link drawBack}). Exact
 * where the model is linear, bounds included. In l0 see {@link refineSparse}. Does nothing while there is no example.
 * An attack with a measure of its own gives the step `toPlane`. Cost: up to 5 gradients and about 30 answers.
 */
export function* refine(victim: Victim, toPlane?: PlaneStep): Talk {
  const { x0, ball } = victim;
  if (ball.norm === 'l0') {
    yield* refineSparse(victim);
    return;
  }
  const norm = ball.norm;
  const inNorm: PlaneStep = (normal, gap, step) => toHyperplane(norm, x0, normal, gap, ball.bounds, step);
  for (let plane = 0; plane < PLANES; plane++) {
    const before = victim.best().distance;
    if (!(yield* towardsPlane(victim, toPlane ?? inNorm))) break;
    if (!(victim.best().distance < before * (1 - WORTH))) break;
  }
  yield* drawBack(victim);
}

/** Tries the plane at the nearest example; whether it is worth to go on. */
function* towardsPlane(victim: Victim, toPlane: PlaneStep): Talk<boolean> {
  const { x0, size, best, gradient, answers } = victim;
  const { x, distance, reached } = best();
  if (!(reached && distance > 0)) return false;
  const from = x.slice();
  const { gradient: normal, margins } = yield* gradient(from, { loss: 'margin' });
  let gap = margins[0]!;
  for (let i = 0; i < size; i++) gap += normal[i]! * (from[i]! - x0[i]!);
  const step = new Float32Array(size);
  const far = toPlane(normal, gap * (1 + BEHIND), step);
  // As near as it gets, or nothing to go by.
  if (!(far > 0 && far < distance * (1 - WORTH))) return false;
  const way = (share: number, out: Float32Array) => {
    for (let i = 0; i < size; i++) {
      const near = x0[i]! + step[i]!;
      out[i] = near + share * (from[i]! - near);
    }
  };
  const point = new Float32Array(size);
  way(0, point);
  if ((yield* answers(point)).reached[0]) return true;
  yield* bisect(victim, way, point, 0, 1, 2 ** -HALVINGS);
  return true;
}
