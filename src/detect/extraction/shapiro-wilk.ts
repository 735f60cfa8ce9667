import { normalQuantile } from './normal-quantile.ts';

/** Weights of the order statistics by number of values: the upper half of them, the greatest first. */
const known = new Map<number, Float64Array>();

/** Numbers of values whose weights are kept. */
const KEPT = 64;

/**
 * The statistic W of Shapiro and Wilk (1965) for 3 to 5000 values: near 1 for normal ones, smaller for others. Royston's approximation of the weights (1995, "Remark AS
 * R94"), as R's and SciPy's `shapiro` take them. NaN for fewer or more values, or where all are equal. Cost: sorting.
 */
export function shapiroWilk(values: ArrayLike<number>): number {
  const n = values.length;
  if (n < 3 || n > 5000) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  let mean = 0;
  for (const value of sorted) mean += value / n;
  let total = 0;
  for (const value of sorted) total += (value - mean) ** 2;
  if (!(total > 0)) return Number.NaN;
  const weights = weightsFor(n);
  let slope = 0;
  for (let i = 0; i < weights.length; i++) slope += weights[i]! * (sorted[n - 1 - i]! - sorted[i]!);
  return Math.min(1, (slope * slope) / total);
}

function weightsFor(n: number): Float64Array {
  const before = known.get(n);
  if (before) return before;
  const half = Math.floor(n / 2);
  const a = new Float64Array(half);
  if (n === 3) a[0] = Math.SQRT1_2;
  else {
    const m = Float64Array.from({ length: half }, (_, i) => -normalQuantile((i + 1 - 0.375) / (n + 0.25)));
    let squared = 0;
    for (const each of m) squared += 2 * each * each;
    const root = Math.sqrt(squared);
    const u = 1 / Math.sqrt(n);
    a[0] = ((((-2.706056 * u + 4.434685) * u - 2.07119) * u - 0.147981) * u + 0.221157) * u + m[0]! / root;
    let own = 1;
    let rest = squared - 2 * m[0]! * m[0]!;
    let left = 1 - 2 * a[0]! * a[0]!;
    if (n > 5) {
      a[1] = ((((-3.582633 * u + 5.682633) * u - 1.752461) * u - 0.293762) * u + 0.042981) * u + m[1]! / root;
      own = 2;
      rest -= 2 * m[1]! * m[1]!;
      left -= 2 * a[1]! * a[1]!;
    }
    const scale = Math.sqrt(rest / left);
    for (let i = own; i < half; i++) a[i] = m[i]! / scale;
  }
  if (known.size >= KEPT) known.delete(known.keys().next().value as number);
  known.set(n, a);
  return a;
}
