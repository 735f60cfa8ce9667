import { z } from 'zod';
import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import { chiSquareTail } from '../statistics/gamma.ts';

/** Counts of numbers in [0, 1]: all, and by the hour of the day (UTC). */
export const baselineSchema = z.strictObject({
  n: z.number().min(0),
  sum: z.number().min(0),
  squares: z.number().min(0),
  first: z.number(),
  last: z.number(),
  hours: z.array(z.tuple([z.number().min(0), z.number().min(0)])).length(24),
  /** Some of the numbers, chosen fairly, for simulations. */
  some: z.array(z.number().min(0).max(1)).max(4096),
});

/** What is usual: see {@link baselineSchema}. */
export type Baseline = z.output<typeof baselineSchema>;

/** Numbers that are kept for simulations. */
const SOME = 2000;
const HOUR = 3_600_000;
/** Fewest numbers of an hour, and days, until hours count apart. */
const PER_HOUR = 30;
const DAYS = 1.9;

/** The hour of the day of a time, UTC. */
export function hourOf(at: number): number {
  return ((Math.floor(at / HOUR) % 24) + 24) % 24;
}

/** One without any number. */
export function emptyBaseline(): Baseline {
  return {
    ...{ n: 0, sum: 0, squares: 0, first: 0, last: 0 },
    hours: Array.from({ length: 24 }, () => [0, 0]),
    some: [],
  };
}

/** Adds a number in [0, 1]; `chance` is uniform in [0, 1). */
export function addTo(baseline: Baseline, x: number, at: number, chance: number): void {
  if (baseline.n === 0) baseline.first = at;
  baseline.last = Math.max(baseline.last, at);
  baseline.n++;
  baseline.sum += x;
  baseline.squares += x * x;
  const hour = baseline.hours[hourOf(at)]!;
  hour[0]++;
  hour[1] += x;
  if (baseline.some.length < SOME) baseline.some.push(x);
  else {
    const place = Math.floor(chance * baseline.n);
    if (place < SOME) baseline.some[place] = x;
  }
}

/** What is held for usual: upper bounds of the mean. */
export interface Usual {
  readonly mean: number;
  /** The largest of all. */
  readonly most: number;
  /** By the hour of the day, where hours differ. */
  readonly byHour: readonly number[] | undefined;
  readonly why: string;
}

/**
 * Upper 97.5 % bounds of what is usual, with `tolerance` added: a loss below that is not looked for. By hour where numbers of about two days show that hours differ (χ² at 1 %).
 * For numbers between 0 and 1 the bound is the smaller of Clopper and Pearson's (no distribution in [0, 1] varies more than one of zeros and ones) and Maurer and Pontil's.
 */
export function usualOf(baseline: Baseline, tolerance: number): Usual {
  const { n, sum, squares, hours, first, last } = baseline;
  const mean = n === 0 ? 0.5 : sum / n;
  const variance = n < 2 ? 0.25 : Math.max(0, (squares - sum * mean) / (n - 1));
  const bound = (count: number, total: number) => Math.min(1, upperBound(count, total, variance) + tolerance);
  const filled = hours.filter(([count]) => count >= PER_HOUR);
  const statistic = filled.reduce(
    (all, [count, total]) => all + (count * (total / count - mean) ** 2) / Math.max(variance, 1e-9),
    0,
  );
  const differ =
    last - first >= DAYS * 24 * HOUR &&
    filled.length > 1 &&
    chiSquareTail(statistic, filled.length - 1) < 0.01;
  if (!differ) {
    const most = bound(n, sum);
    return { mean, most, byHour: undefined, why: `${n} calm samples` };
  }
  const overall = bound(n, sum);
  const byHour = hours.map(([count, total]) => (count >= PER_HOUR ? bound(count, total) : overall));
  return {
    mean,
    most: Math.max(...byHour, overall),
    byHour,
    why: `${n} calm samples, by the hour of the day`,
  };
}

function upperBound(n: number, sum: number, variance: number): number {
  if (n < 2) return 1;
  const exact = clopperPearson(Math.min(n, Math.ceil(sum)), n)[1];
  // Maurer & Pontil 2009, theorem 4
  const log = Math.log(2 / 0.025);
  return Math.min(exact, sum / n + Math.sqrt((2 * variance * log) / n) + (7 * log) / (3 * (n - 1)));
}
