import { normalQuantile, normalTail } from '../../core/statistics/normal.ts';
import { percent } from './column.ts';
import { crossProducts } from './cross-products.ts';
import type { Rows } from './rows.ts';

/** What a window shows of how features go together, two by two. */
export interface PairsFinding {
  /** Of the pair that changed most, corrected for the number of pairs (Bonferroni). */
  readonly p: number;
  readonly statistic: number;
  readonly words: string;
  /** How much each row speaks for it, above the mean of calm rows. */
  speaks(rows: Rows): Float64Array;
}

/** Features that are paired at most: the first of those that vary. */
const MOST_FEATURES = 96;

/** A feature that mostly has one value goes with nothing: few rows would decide. */
const MOST_COMMON = 0.5;

/** No correlation counts as nearer to 1. */
const NEAREST = 0.999;

/**
 * Learns how strongly features go together, two by two, and tests whether they still do. Each value is replaced by the normal score of its rank among calm ones, so that neither shapes of single features nor a few
 * large values matter; correlations of a window are compared with calm ones by Fisher's z, whose variance is measured on calm rows (at least that of normal ones). One pair that breaks among many is seen, which a test of all features at once
 * dilutes. Cost: rows × pairs multiplications.
 *
 * @see Fisher 1921, "On the probable error of a coefficient of correlation deduced from a small sample"; Steiger & Hakstian 1982 on the variance without normality
 */
export function learnPairs(
  calm: Rows,
  columns: readonly number[],
  names: readonly string[],
): { test(rows: Rows): PairsFinding } | undefined {
  const varying = columns
    .map((column) => ({
      column,
      own: Float32Array.from({ length: calm.n }, (_, i) =>
        finite(calm.values[i * calm.width + column]!),
      ).sort(),
    }))
    .filter(({ own }) => longestRun(own) <= MOST_COMMON * own.length)
    .slice(0, MOST_FEATURES);
  const used = varying.map(({ column }) => column);
  const sorted = varying.map(({ own }) => own);
  // Normal scores by twice the rank: the ranks of a feature are few.
  const scores = new Float64Array(2 * calm.n + 1).fill(Number.NaN);
  const scoreAt = (twice: number): number => {
    let score = scores[twice]!;
    if (Number.isNaN(score)) {
      score = normalQuantile((twice / 2 + 0.5) / (calm.n + 1));
      scores[twice] = score;
    }
    return score;
  };
  const width = used.length;
  if (width < 2) return undefined;
  /** Rows as normal scores, column by column. */
  const scoresOf = (rows: Rows): readonly Float64Array[] =>
    used.map((column, k) => {
      const own = sorted[k]!;
      const found = new Float64Array(rows.n);
      for (let i = 0; i < rows.n; i++) {
        const value = finite(rows.values[i * rows.width + column]!);
        // The middle of its rank.
        found[i] = scoreAt(below(own, value, false) + below(own, value, true));
      }
      return found;
    });
  const before = scoresOf(calm);
  const pairs: { a: number; b: number; r: number; variance: number }[] = [];
  for (let a = 0; a < width; a++)
    for (let b = 0; b < a; b++) {
      const r = correlation(before[a]!, before[b]!);
      if (r !== undefined) pairs.push({ a, b, r, variance: varianceOf(before[a]!, before[b]!, r) });
    }
  if (pairs.length === 0) return undefined;
  return {
    test(rows) {
      const now = scoresOf(rows);
      let [most, z, at] = [0, 0, 0];
      for (const [k, { a, b, r, variance }] of pairs.entries()) {
        const own = correlation(now[a]!, now[b]!);
        if (own === undefined) continue;
        const scale = Math.sqrt(variance * (1 / Math.max(1, rows.n - 3) + 1 / Math.max(1, calm.n - 3)));
        const far = (Math.atanh(own) - Math.atanh(r)) / scale;
        if (Math.abs(far) > most) [most, z, at] = [Math.abs(far), far, k];
      }
      const { a, b, r } = pairs[at]!;
      const [first, second] = [names[used[b]!] ?? `${used[b]}`, names[used[a]!] ?? `${used[a]}`];
      const own = correlation(now[a]!, now[b]!) ?? r;
      return {
        p: Math.min(1, 2 * normalTail(most) * pairs.length),
        statistic: Math.abs(own - r),
        words: `${first} and ${second} go together otherwise: their rank correlation is ${percent(own)}, usually ${percent(r)}`,
        speaks(other) {
          const scores = scoresOf(other);
          return Float64Array.from(
            { length: other.n },
            (_, i) => Math.sign(z) * (scores[a]![i]! * scores[b]![i]! - r),
          );
        },
      };
    },
  };
}

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

/** How often the most frequent of sorted values comes. */
function longestRun(sorted: Float32Array): number {
  let [most, from] = [0, 0];
  for (let i = 0; i < sorted.length; i++) {
    if (sorted[i] !== sorted[from]) from = i;
    most = Math.max(most, i - from + 1);
  }
  return most;
}

/** Values below, or at most, this one. */
function below(sorted: Float32Array, value: number, equal: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (equal ? sorted[middle]! <= value : sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Undefined where one of them does not vary. */
function correlation(a: Float64Array, b: Float64Array): number | undefined {
  const { ab, aa, bb } = crossProducts(a, b);
  const size = Math.sqrt(aa * bb);
  return size > 1e-9 * a.length ? Math.min(NEAREST, Math.max(-NEAREST, ab / size)) : undefined;
}

/** n times the variance of Fisher's z: that of the influence of one row, at least 1 as for normal scores. */
function varianceOf(a: Float64Array, b: Float64Array, r: number): number {
  const n = a.length;
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value / n, 0);
  const deviation = (values: Float64Array, middle: number) =>
    Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2 / n, 0));
  const [ma, mb] = [mean(a), mean(b)];
  const [sa, sb] = [deviation(a, ma), deviation(b, mb)];
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const [x, y] = [(a[i]! - ma) / sa, (b[i]! - mb) / sb];
    sum += ((x * y - (r * (x * x + y * y)) / 2) / (1 - r * r)) ** 2;
  }
  return Math.max(1, sum / n);
}
