import { bisect } from './evasion/boundary-search.ts';
import type { Talk } from './question.ts';
import type { Victim } from './sample-attack.ts';

/** Length of the first look back, as a share of the distance, and where the search ends. */
const FIRST = 0.05;
const TOLERANCE = 5e-4;

/**
 * Draws the nearest example so far back towards the clean sample, along the straight line between both, until a point
 * that does not reach the goal is within {@link TOLERANCE} of it: steps back double in length until one fails, then bisection. Published
 * attacks leave their examples a little beyond the boundary; this takes that away and changes nothing else. For minimum-norm attacks;
 * does nothing while there is no example. Cost: about 8 answers.
 */
export function* drawBack(victim: Victim): Talk {
  const { x0, size } = victim;
  const best = victim.best();
  if (!(best.reached && best.distance > 0)) return;
  const far = best.x.slice();
  const way = (share: number, out: Float32Array) => {
    for (let i = 0; i < size; i++) out[i] = x0[i]! + share * (far[i]! - x0[i]!);
  };
  const point = new Float32Array(size);
  let [clean, fallen] = [0, 1];
  for (let back = FIRST; clean === 0 && back < fallen; back *= 2) {
    way(fallen - back, point);
    if ((yield* victim.answers(point)).reached[0]) fallen -= back;
    else clean = fallen - back;
  }
  yield* bisect(victim, way, point, clean, fallen, TOLERANCE * fallen);
}
