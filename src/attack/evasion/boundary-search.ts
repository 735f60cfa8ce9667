import type { Ball } from '../../threat/norm.ts';
import type { Talk } from '../question.ts';
import type { Victim } from '../sample-attack.ts';

/** How far a value is looked for from another: the bounds' width, or a million where they are open. */
export function furthest([low, high]: Ball['bounds']): number {
  return Number.isFinite(high - low) ? high - low : 2 ** 20;
}

/**
 * A search by halves along a way that `at(t, out)` walks, between `low`, where the goal is taken not to be reached, and `high`, where it
 * is, until they are no more than `tolerance` apart. `point` holds the point at `high` and gets the nearest one found; its `t`
 * is returned. Cost: `log₂((high − low) / tolerance)` questions, at most 50.
 */
export function* bisect(
  { size, answers }: Victim,
  at: (t: number, out: Float32Array) => void,
  point: Float32Array,
  low: number,
  high: number,
  tolerance: number,
): Talk<number> {
  const middle = new Float32Array(size);
  for (let i = 0; i < 50 && high - low > tolerance; i++) {
    const t = (low + high) / 2;
    at(t, middle);
    const { reached } = yield* answers(middle);
    if (reached[0]) {
      high = t;
      point.set(middle);
    } else low = t;
  }
  return high;
}

/**
 * Brings a point that reaches the goal as near to the clean sample as a search by halves can: in l2 along the line between them, in linf by
 * clipping to a smaller cube. Writes over `point`. `tolerance` is a share of the distance.
 */
export function* bisectToClean(
  victim: Victim,
  norm: 'linf' | 'l2',
  point: Float32Array,
  tolerance: number,
): Talk {
  const { x0, size } = victim;
  const from = point.slice();
  if (norm === 'l2') {
    const blend = (t: number, out: Float32Array) => {
      for (let i = 0; i < size; i++) out[i] = x0[i]! + t * (from[i]! - x0[i]!);
    };
    yield* bisect(victim, blend, point, 0, 1, tolerance);
    return;
  }
  let largest = 0;
  for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(from[i]! - x0[i]!));
  const clip = (t: number, out: Float32Array) => {
    for (let i = 0; i < size; i++) out[i] = Math.min(x0[i]! + t, Math.max(x0[i]! - t, from[i]!));
  };
  yield* bisect(victim, clip, point, 0, largest, tolerance * largest);
}
