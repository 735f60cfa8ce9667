/**
 * Benjamini and Hochberg's correction: of the tests whose corrected p-value is at most q, at most the share q are false on average (independent tests, or positively
 * dependent ones). Where not even one false alarm is wanted, `holm` is right.
 *
 * @param values p-values in [0, 1]
 * @returns corrected p-values, in the order of the given ones
 * @see Benjamini & Hochberg 1995, Journal of the Royal Statistical Society B 57
 */
export function benjaminiHochberg(values: readonly number[]): readonly number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!);
  const corrected = [...values];
  let least = 1;
  for (const [i, at] of order.entries()) {
    least = Math.min(least, (values.length / (values.length - i)) * values[at]!);
    corrected[at] = least;
  }
  return corrected;
}
