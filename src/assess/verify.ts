import { type Ball, distance } from '../threat/norm.ts';

/** Relative slack for float32 rounding when a distance is checked: 1e-5 of eps, and 1e-6 of the input's range. */
const RELATIVE = 1e-5;
const ABSOLUTE = 1e-6;

/** Why an example does not count. */
export type Violation = 'outside-ball' | 'outside-bounds' | 'not-finite';

/**
 * Checks one example against the threat model, whatever the attack claims: finite, within ball and bounds (up to rounding).
 * Returns the violation, or `undefined`.
 */
export function violationOf(
  ball: Ball,
  x: Float32Array,
  x0: Float32Array,
  offset: number,
  length: number,
): Violation | undefined {
  const [low, high] = ball.bounds;
  const slack = ABSOLUTE * Math.max(1, Number.isFinite(high - low) ? high - low : 1);
  for (let i = offset; i < offset + length; i++) {
    const v = x[i]!;
    if (!Number.isFinite(v)) return 'not-finite';
    if (v < low - slack || v > high + slack) return 'outside-bounds';
  }
  const allowed = ball.norm === 'l0' ? ball.eps : ball.eps * (1 + RELATIVE) + slack;
  return distance(ball.norm, x, x0, offset, length) <= allowed ? undefined : 'outside-ball';
}
