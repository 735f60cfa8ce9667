/**
 * The x in [low, high] where an increasing function is 0, to the last digits of float64. Newton's step is taken where
 * it stays inside the bracket, otherwise the bracket is halved, so that it always ends.
 *
 * @param f value and slope at x; f(low) ≤ 0 ≤ f(high)
 * @param start where to begin, inside the bracket
 */
export function increasingRoot(
  f: (x: number) => readonly [value: number, slope: number],
  low: number,
  high: number,
  start: number,
): number {
  let x = start;
  for (let i = 0; i < 200; i++) {
    const [value, slope] = f(x);
    if (value === 0) return x;
    if (value < 0) low = x;
    else high = x;
    const newton = x - value / slope;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 2 * Number.EPSILON * Math.abs(next)) return next;
    x = next;
  }
  return x;
}
