import { type Ball, distance } from './norm.ts';

/** Relative slack for float32 rounding when a distance is checked: 1e-5 of eps, and 1e-6 of the input's range. */
const RELATIVE = 1e-5;
const ABSOLUTE = 1e-6;

/** Why an example does not count. */
export type Violation = 'outside-ball' | 'outside-bounds' | 'not-finite' | 'breaks-constraint';

/**
 * Checks one example against the threat model, whatever the attack claims: finite, within ball and bounds (up to rounding), and as its constraint wants it.
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
  const slack = slackOf(ball.bounds);
  for (let i = offset; i < offset + length; i++) {
    const v = x[i]!;
    if (!Number.isFinite(v)) return 'not-finite';
    if (v < low - slack || v > high + slack) return 'outside-bounds';
  }
  if (!isWithin(ball, distance(ball.norm, x, x0, offset, length))) return 'outside-ball';
  return ball.constraint?.violation(x, offset, x0, offset, length) === undefined
    ? undefined
    : 'breaks-constraint';
}

/** Whether a distance counts as inside the ball, up to rounding; one that is not a number does not. */
export function isWithin({ norm, eps, bounds }: Ball, far: number): boolean {
  return far <= (norm === 'l0' ? eps : eps * (1 + RELATIVE) + slackOf(bounds));
}

/** What rounding may do to a value within these bounds: 1e-6 of their width, at least 1e-6. */
export function slackOf([low, high]: Ball['bounds']): number {
  return ABSOLUTE * Math.max(1, Number.isFinite(high - low) ? high - low : 1);
}
