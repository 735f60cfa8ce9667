import { fisherExact } from '../../core/statistics/fisher.ts';
import { homogeneity } from '../statistics/homogeneity.ts';
import { kolmogorovSmirnov } from '../statistics/kolmogorov-smirnov.ts';
import { stabilityIndex } from '../statistics/stability-index.ts';
import { wasserstein } from '../statistics/wasserstein.ts';
import type { Rows } from './rows.ts';
import { type Part, shown } from './window-test.ts';

/** What a feature is, by its calm values. */
export type ColumnType = 'continuous' | 'categories' | 'constant' | 'never finite';

/** A feature as calm rows have it. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Rows, and how many of them are NaN or infinite. */
  readonly n: number;
  readonly broken: number;
  /** Finite values, the least first. */
  readonly sorted: Float32Array;
  /** Of categories: values and their counts, the least value first. */
  readonly values: Float32Array;
  readonly counts: Float64Array;
  /** Inner bounds of bins that hold equally many calm values, and their counts. */
  readonly bounds: Float64Array;
  readonly binned: Float64Array;
  /** Share of the most frequent value. */
  readonly commonest: number;
  /** Of finite values. */
  readonly mean: number;
  readonly deviation: number;
}

/** More different values than this among calm rows: not categories. */
const MOST_CATEGORIES = 25;
const BINS = 10;

/** Learns one column. `asCategories` where values are names, such as classes, however many. */
export function learnColumn(rows: Rows, column: number, name: string, asCategories = false): Column {
  const { sorted, broken } = finiteOf(rows, column);
  const values: number[] = [];
  const counts: number[] = [];
  for (const value of sorted) {
    if (values.length === 0 || values.at(-1) !== value) {
      values.push(value);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
  }
  const bounds: number[] = [];
  for (let k = 1; k < BINS && sorted.length > 0; k++) {
    const bound = sorted[Math.floor((k * sorted.length) / BINS)]!;
    if (bound > (bounds.at(-1) ?? sorted[0]!)) bounds.push(bound);
  }
  const type =
    values.length === 0
      ? 'never finite'
      : asCategories ||
          (values.length > 1 && values.length <= MOST_CATEGORIES && sorted.length >= 4 * values.length)
        ? 'categories'
        : values.length === 1
          ? 'constant'
          : 'continuous';
  const inner = Float64Array.from(bounds);
  const n = Math.max(1, sorted.length);
  const mean = sorted.reduce((sum, value) => sum + value / n, 0);
  const deviation = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2 / n, 0));
  return {
    name,
    type,
    n: rows.n,
    broken,
    sorted,
    values: Float32Array.from(type === 'continuous' ? [] : values),
    counts: Float64Array.from(type === 'continuous' ? [] : counts),
    bounds: inner,
    binned: binned(sorted, inner),
    ...{ mean, deviation },
    commonest: sorted.length === 0 ? 0 : Math.max(...counts) / sorted.length,
  };
}

/** What a window shows of a column. */
export interface ColumnFinding {
  readonly part: Part;
  /** p-values of the tests, uncorrected: of the values, and of how many are finite. */
  readonly p: number;
  readonly brokenP: number;
  readonly broken: number;
  /** Whether all finite values are equal although calm ones never would be, with the value; whether a constant moved. */
  readonly froze: boolean;
  /** Made when asked for. */
  readonly words: () => string;
  /** How much a value speaks for it, above the mean of calm rows. */
  readonly excess: (value: number) => number;
  /** How far a value lies in the direction of the shift, in calm deviations where it is a number: what {@link excess} says, by degrees. */
  readonly degree: (value: number) => number;
}

/** Deviations beyond which a value is as far as another. */
const FARTHEST = 6;

/** A chance below which something did not happen by itself. */
const IMPOSSIBLE = 1e-9;

/** Holds a window against the column: Kolmogorov-Smirnov for numbers, χ² for categories and constants; PSI and Wasserstein-1 as figures. */
export function testColumn(calm: Column, rows: Rows, column: number): ColumnFinding {
  const { sorted, broken } = finiteOf(rows, column);
  const n = sorted.length;
  const brokenP =
    calm.broken === 0 && broken === 0 ? 1 : fisherExact([calm.broken, calm.n], [broken, rows.n]);
  const froze =
    n >= 30 &&
    sorted[0] === sorted[n - 1] &&
    calm.commonest < 1 &&
    n * Math.log(calm.commonest) < Math.log(IMPOSSIBLE);
  if (brokenP < 1e-6) {
    const usual = calm.broken / calm.n;
    const excess = (value: number) => (Number.isFinite(value) ? 0 : 1) - usual;
    return {
      ...{ p: 1, brokenP, broken, froze: false },
      part: { name: calm.name, score: broken / rows.n, p: brokenP },
      words: () =>
        `${calm.name} is not a number in ${percent(broken / rows.n)} of rows, usually in ${percent(usual)}`,
      ...{ excess, degree: excess },
    };
  }
  if (calm.type === 'continuous') {
    const { statistic, p } = kolmogorovSmirnov(calm.sorted, sorted);
    const now = binned(sorted, calm.bounds);
    const psi = stabilityIndex(calm.binned, now).statistic;
    let gap: { readonly at: number; readonly side: number; readonly usual: number } | undefined;
    const widest = () => {
      const { at, above } = widestGap(calm.sorted, sorted);
      return { at, side: above ? -1 : 1, usual: shareUpTo(calm.sorted, at) };
    };
    return {
      ...{ p, brokenP, broken, froze },
      part: {
        ...{ name: calm.name, score: statistic, p },
        ...{ bins: [...calm.bounds], reference: [...calm.binned], current: [...now] },
      },
      words: () =>
        `${calm.name} moved by ${shown(wasserstein(calm.sorted, sorted))} (median ${shown(middle(calm.sorted))}, now ${shown(middle(sorted))}; PSI ${shown(psi)})`,
      excess: (value) => {
        gap ??= widest();
        return Number.isFinite(value) ? gap.side * ((value <= gap.at ? 1 : 0) - gap.usual) : 0;
      },
      degree: (value) => {
        gap ??= widest();
        const far = (value - calm.mean) / calm.deviation;
        return Number.isFinite(far) ? -gap.side * Math.min(FARTHEST, Math.max(-FARTHEST, far)) : 0;
      },
    };
  }
  const values = [...new Set([...calm.values, ...sorted])].sort((a, b) => a - b);
  const place = new Map(values.map((each, i) => [each, i]));
  const before = new Float64Array(values.length);
  const now = new Float64Array(values.length);
  for (const [i, each] of calm.values.entries()) before[place.get(each)!] = calm.counts[i]!;
  for (const each of sorted) now[place.get(each)!]!++;
  const { p } = homogeneity(before, now);
  // ln(q / p) of each value, half an observation added; its mean over calm rows taken off.
  const weight = values.map((_, i) =>
    Math.log(
      (now[i]! + 0.5) /
        (n + values.length / 2) /
        ((before[i]! + 0.5) / (calm.sorted.length + values.length / 2)),
    ),
  );
  const usual = weight.reduce((sum, w, i) => sum + (w * before[i]!) / Math.max(1, calm.sorted.length), 0);
  const most = weight.reduce(
    (best, _, i) =>
      gain(before, now, calm.sorted.length, n, i) > gain(before, now, calm.sorted.length, n, best) ? i : best,
    0,
  );
  const psi = stabilityIndex(before, now).statistic;
  const excess = (value: number) => (weight[place.get(value) ?? -1] ?? usual) - usual;
  return {
    ...{ p, brokenP, broken, froze },
    part: {
      ...{ name: calm.name, score: psi, p },
      ...(values.length <= 256 && { bins: values, reference: [...before], current: [...now] }),
    },
    words: () =>
      values.length === 0
        ? `${calm.name} was never a number`
        : `${calm.name}: ${shown(values[most]!)} came in ${percent(before[most]! / Math.max(1, calm.sorted.length))} of rows, now in ${percent(now[most]! / Math.max(1, n))} (PSI ${shown(psi)})`,
    ...{ excess, degree: excess },
  };
}

const gain = (before: Float64Array, now: Float64Array, n: number, m: number, i: number) =>
  Math.abs(now[i]! / Math.max(1, m) - before[i]! / Math.max(1, n));

/** Finite values of a column, the least first, and how many are not. */
function finiteOf(
  { n, width, values }: Rows,
  column: number,
): { readonly sorted: Float32Array; readonly broken: number } {
  const found = new Float32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) {
    const value = values[i * width + column]!;
    // −0 is 0.
    if (Number.isFinite(value)) found[count++] = value + 0;
  }
  return { sorted: found.subarray(0, count).sort(), broken: n - count };
}

/** Counts of sorted values: bin k holds those of at least bound k − 1 and below bound k. */
function binned(sorted: Float32Array, bounds: Float64Array): Float64Array {
  const counts = new Float64Array(bounds.length + 1);
  let k = 0;
  for (const value of sorted) {
    while (k < bounds.length && value >= bounds[k]!) k++;
    counts[k]!++;
  }
  return counts;
}

/** Where two distribution functions are farthest apart, and whether the first is above there: up to that value there are more of the first. */
function widestGap(a: Float32Array, b: Float32Array): { readonly at: number; readonly above: boolean } {
  let [i, j, most, at, above] = [0, 0, -1, 0, false];
  while (i < a.length || j < b.length) {
    const value = j >= b.length || (i < a.length && a[i]! <= b[j]!) ? a[i]! : b[j]!;
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    const gap = i / Math.max(1, a.length) - j / Math.max(1, b.length);
    if (Math.abs(gap) > most) [most, at, above] = [Math.abs(gap), value, gap > 0];
  }
  return { at, above };
}

function shareUpTo(sorted: Float32Array, at: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const between = (low + high) >> 1;
    if (sorted[between]! <= at) low = between + 1;
    else high = between;
  }
  return low / Math.max(1, sorted.length);
}

const middle = (sorted: Float32Array): number => sorted[sorted.length >> 1] ?? Number.NaN;

/** A share for people. */
export const percent = (share: number): string => `${shown(100 * share)} %`;
