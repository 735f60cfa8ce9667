import type { Constraint } from '../../threat/constraint.ts';
import type { Ball } from '../../threat/norm.ts';

/** Copies of iterates, row by row of `size` elements moved into the ball around the clean rows and onto the constraint. */
export function projectedRows(
  iterates: Float32Array,
  clean: Float32Array,
  size: number,
  ball: Ball & { readonly constraint: Constraint },
): Float32Array {
  const points = iterates.slice();
  for (let at = 0; at < points.length; at += size) ball.constraint.project(points, at, clean, at, size, ball);
  return points;
}
