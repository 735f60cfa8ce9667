/** How a number changed over time. */
export interface SlowChange {
  /** Milliseconds from which to which it moved. */
  readonly from: number;
  readonly to: number;
}

/** ln of the odds against a sudden change at which a change is slow. */
const ODDS = 2;
/** Fewest numbers, and moments that changes may begin or end at. */
const FEWEST = 40;
const MOMENTS = 24;

/**
 * Whether numbers moved slowly from one level to a higher one, rather than all at once: of a line that is even, rises for at least `shortest` milliseconds and is even again, and of a step at any moment, the one with the smaller squares,
 * by a clear margin (Gaussian likelihoods, e² : 1). Undefined where the step is as good, or where too little is known: a change that nobody saw happen is not slow.
 *
 * @param at milliseconds, the earliest first
 */
export function slowChangeOf(
  at: ArrayLike<number>,
  values: ArrayLike<number>,
  shortest: number,
): SlowChange | undefined {
  const n = at.length;
  if (n < FEWEST) return undefined;
  const moments = Array.from({ length: MOMENTS + 1 }, (_, k) => at[Math.round((k * (n - 1)) / MOMENTS)]!);
  let sudden = Number.POSITIVE_INFINITY;
  // Steps between any two neighbours.
  let [sum, squares, left, leftSum] = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    sum += values[i]!;
    squares += values[i]! ** 2;
  }
  for (let i = 0; i < n; i++) {
    sudden = Math.min(
      sudden,
      squares - (left > 0 ? leftSum ** 2 / left : 0) - (sum - leftSum) ** 2 / (n - left),
    );
    left++;
    leftSum += values[i]!;
  }
  let [slow, best]: [number, SlowChange | undefined] = [Number.POSITIVE_INFINITY, undefined];
  for (const [k, from] of moments.entries())
    for (const to of moments.slice(k + 1)) {
      if (to - from < shortest) continue;
      // Least squares of a + b · r, r from 0 at `from` to 1 at `to`.
      let [r1, r2, rv] = [0, 0, 0];
      for (let i = 0; i < n; i++) {
        const r = Math.min(1, Math.max(0, (at[i]! - from) / (to - from)));
        r1 += r;
        r2 += r * r;
        rv += r * values[i]!;
      }
      const spread = r2 - r1 ** 2 / n;
      const along = rv - (r1 * sum) / n;
      if (!(spread > 1e-9 && along > 0)) continue;
      const left = squares - sum ** 2 / n - along ** 2 / spread;
      if (left < slow) [slow, best] = [left, { from, to }];
    }
  const floor = 1e-12 * (1 + squares);
  return (n / 2) * Math.log((sudden + floor) / (slow + floor)) > ODDS ? best : undefined;
}
