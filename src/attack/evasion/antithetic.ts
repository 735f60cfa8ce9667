import { clearFixed } from '../free-elements.ts';
import { pointsAtOnce } from '../points-at-once.ts';
import type { Talk } from '../question.ts';
import type { Victim } from '../sample-attack.ts';

/**
 * Estimates the gradient of minus the goal's margin at a point `x`, up to a positive factor, from pairs of points `x ± radius · u`: the
 * sum of the differences, each times its `u`, which `draw` fills in. Written over `gradient`; gives the mean margin of all points.
 *
 * The points are probes and may lie outside ball and bounds by `radius`, as published: clipping would halve the differences where values
 * are at a bound, as most of a digit's are. Differences that are not numbers count as none. Cost of one estimate: `2 · pairs` answers, in as few questions as
 * memory permits.
 */
export function antithetic(
  { size, ball, answers }: Victim,
  pairs: number,
  draw: (out: Float32Array) => void,
): (x: Float32Array, radius: number, gradient: Float32Array) => Talk<number> {
  const most = Math.min(pairs, Math.ceil(pointsAtOnce(size) / 2));
  const directions = new Float32Array(most * size);
  const points = new Float32Array(2 * most * size);
  return function* (x, radius, gradient) {
    gradient.fill(0);
    let total = 0;
    for (let done = 0; done < pairs; done += most) {
      const here = Math.min(most, pairs - done);
      draw(directions.subarray(0, here * size));
      clearFixed(ball, directions);
      for (let p = 0; p < here; p++) {
        const [forth, back] = [2 * p * size, (2 * p + 1) * size];
        for (let i = 0; i < size; i++) {
          const step = radius * directions[p * size + i]!;
          points[forth + i] = x[i]! + step;
          points[back + i] = x[i]! - step;
        }
      }
      const { margins } = yield* answers(points, 2 * here, 'probe');
      for (let p = 0; p < here; p++) {
        const [forth, back] = [margins[2 * p]!, margins[2 * p + 1]!];
        total += forth + back;
        const fall = back - forth;
        if (!Number.isFinite(fall) || fall === 0) continue;
        for (let i = 0; i < size; i++) gradient[i]! += fall * directions[p * size + i]!;
      }
    }
    return total / (2 * pairs);
  };
}
