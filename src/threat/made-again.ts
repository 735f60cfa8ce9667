import type { Constraint } from './constraint.ts';
import { type Ball, distance } from './norm.ts';
import { slackOf } from './violation.ts';

/** What an example that was made with few parameters is compared with. */
export interface MadeAgain {
  /** The example. */
  readonly x: Float32Array;
  /** The clean sample. */
  readonly x0: Float32Array;
  readonly bounds: readonly [number, number];
  readonly constraint?: Constraint | undefined;
}

/** Moves what a threat's parameters make of `x0` onto bounds and constraint, in place: what an example is. */
export function settle(made: Float32Array, { x0, bounds, constraint }: Omit<MadeAgain, 'x'>): void {
  const free: Ball = { norm: 'linf', eps: Number.POSITIVE_INFINITY, bounds };
  constraint?.project(made, 0, x0, 0, x0.length, free);
}

/**
 * Why an example is not what its parameters make of the clean sample (`made`, which is settled in place), up to `eps` in every value
 * and rounding; `undefined` where it is.
 */
export function differsFrom(made: Float32Array, example: MadeAgain, eps = 0): string | undefined {
  settle(made, example);
  const far = distance('linf', example.x, made, 0, made.length);
  return far <= eps * (1 + 1e-5) + slackOf(example.bounds) ? undefined : 'not what its parameters make';
}
