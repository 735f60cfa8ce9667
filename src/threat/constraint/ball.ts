import type { Ball } from '../norm.ts';
import { nextFloat32 } from './float32.ts';
import { l1Threshold } from './l1.ts';

/** Neighbouring float32 numbers differ by at most this share of the larger. */
const STEP = 2 ** -23;
/** Slack relative to eps, and the most for the rounding of values: below what `violationOf` allows. */
const RELATIVE = 1e-6;
const ABSOLUTE = 5e-7;

/** Least and greatest value of an element, as float32. */
export function boundsOf({ bounds }: Ball): readonly [number, number] {
  return [Math.fround(bounds[0]), Math.fround(bounds[1])];
}

/** Whether one element of an Linf ball may have the value `v`, given the clean value `c`. */
export function reaches(ball: Ball, v: number, c: number): boolean {
  return Math.abs(v - c) <= ball.eps * (1 + RELATIVE) + Math.min(rounding(v, c), most(ball));
}

/**
 * Whether the row lies in ball and bounds, up to what float32 rounds away: 8 levels of 255 are inside `eps = 8/255` although their
 * difference as float32 numbers may be a little longer. Sound because the slack is less than the runner's.
 */
export function inBall(ball: Ball, row: Float32Array, clean: Float32Array): boolean {
  const { norm, eps } = ball;
  const [low, high] = boundsOf(ball);
  let size = 0;
  let slack = 0;
  for (let i = 0; i < row.length; i++) {
    const v = row[i]!;
    const c = clean[i]!;
    if (!(v >= low && v <= high)) return false;
    if (v === c) continue;
    const d = Math.abs(v - c);
    const r = rounding(v, c);
    if (norm === 'linf') {
      if (!reaches(ball, v, c)) return false;
    } else if (norm === 'l2') {
      size += d * d;
      slack += r * r;
    } else {
      size += norm === 'l1' ? d : 1;
      slack += r;
    }
  }
  if (norm === 'linf') return true;
  if (norm === 'l0') return size <= eps;
  if (norm === 'l2') return Math.sqrt(size) <= eps * (1 + RELATIVE) + Math.min(Math.sqrt(slack), most(ball));
  return size <= eps * (1 + RELATIVE) + Math.min(slack, most(ball));
}

/**
 * Moves the row (finite values) into bounds and ball: the bounds first, then the nearest point of the ball; with L0 the largest changes
 * stay. Sound because the clean row lies in the bounds, so that moving towards it stays in them. Rounded towards the clean row.
 * Cost: a sort for L1 and L0.
 */
export function intoBall(ball: Ball, row: Float32Array, clean: Float32Array): void {
  const { norm, eps } = ball;
  const [low, high] = boundsOf(ball);
  const d = new Float64Array(row.length);
  for (let i = 0; i < row.length; i++) {
    const v = row[i]!;
    if (v < low || v > high) row[i] = v < low ? low : high;
    d[i] = row[i]! - clean[i]!;
  }
  if (norm === 'linf') {
    for (let i = 0; i < row.length; i++)
      if (!reaches(ball, row[i]!, clean[i]!)) row[i] = near(clean[i]!, d[i]! > 0 ? eps : -eps);
    return;
  }
  if (inBall(ball, row, clean)) return;
  if (norm === 'l0') {
    for (const i of largest(d, d.length).slice(Math.floor(eps))) row[i] = clean[i]!;
    return;
  }
  if (norm === 'l2') {
    const scale = eps / Math.sqrt(d.reduce((sum, v) => sum + v * v, 0));
    for (let i = 0; i < row.length; i++) row[i] = near(clean[i]!, scale * d[i]!);
    return;
  }
  const theta = l1Threshold(d, eps);
  for (let i = 0; i < row.length; i++)
    row[i] = near(clean[i]!, Math.sign(d[i]!) * Math.max(0, Math.abs(d[i]!) - theta));
}

/** Numbers of the `count` elements of greatest size, the greatest first; of equal ones the first. */
export function largest(d: Float64Array, count: number): number[] {
  const order = Array.from(d.keys());
  order.sort((a, b) => Math.abs(d[b]!) - Math.abs(d[a]!) || a - b);
  return order.slice(0, count);
}

/** `c + d` as float32, no farther from `c` than `d` is long. */
function near(c: number, d: number): number {
  const v = Math.fround(c + d);
  return Math.abs(v - c) > Math.abs(d) ? nextFloat32(v, c) : v;
}

function rounding(v: number, c: number): number {
  return STEP * Math.max(Math.abs(v), Math.abs(c));
}

function most({ bounds }: Ball): number {
  const range = bounds[1] - bounds[0];
  return ABSOLUTE * Math.max(1, Number.isFinite(range) ? range : 1);
}
