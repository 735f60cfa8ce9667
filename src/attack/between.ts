/**
 * `v`, or the nearer of two finite limits, up to the last bit of a float64: `max(a, b) = (a + b + |a − b|) / 2`. For loops over elements
 * that lie on either side at random, where a branch would be mispredicted half of the time and cost more than the arithmetic.
 */
export function between(v: number, low: number, high: number): number {
  const above = 0.5 * (v + low + Math.abs(v - low));
  return 0.5 * (above + high - Math.abs(above - high));
}

/** Finite limits in place of bounds that may be infinite, for values within `reach` of those of `x0`. */
export function finiteLimits(
  [low, high]: readonly [number, number],
  x0: Float32Array,
  reach: number,
): readonly [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of x0) {
    least = Math.min(least, v);
    most = Math.max(most, v);
  }
  return [Math.max(low, least - 2 * reach), Math.min(high, most + 2 * reach)];
}
