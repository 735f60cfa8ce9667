/**
 * Holm's correction: p-values that may be held against one level together. With them, the chance of even one false
 * "there is a difference" among all tests stays below the level, whatever the tests have to do with each other.
 *
 * @param values p-values in [0, 1]
 * @returns the corrected p-values, in the order of the given ones, at most 1
 * @see Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
 */
export function holm(values: readonly number[]): readonly number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const corrected = [...values];
  let least = 0;
  for (const [rank, i] of order.entries()) {
    least = Math.min(1, Math.max(least, (values.length - rank) * values[i]!));
    corrected[i] = least;
  }
  return corrected;
}
