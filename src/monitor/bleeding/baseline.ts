import { z } from 'zod';
import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import { chiSquareTail } from '../statistics/gamma.ts';
import { designEffect, type Share, shareSchema } from './design-effect.ts';

/** Most shares of each kind: callers by a hash of their names, hours of ten days. */
const MOST_SHARES = 256;
const HOURS_APART = 240;

/** Counts of numbers in [0, 1]: all, by the hour of the day (UTC), by caller and by the hour. */
export const baselineSchema = z.strictObject({
  n: z.number().min(0),
  sum: z.number().min(0),
  squares: z.number().min(0),
  first: z.number(),
  last: z.number(),
  hours: z.array(z.tuple([z.number().min(0), z.number().min(0)])).length(24),
  /** Those that came together: without them numbers count as independent. */
  callers: z.array(shareSchema).max(MOST_SHARES).default([]),
  spans: z.array(shareSchema).max(HOURS_APART).default([]),
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
    ...{ callers: [], spans: [], some: [] },
  };
}

/** Adds a number in [0, 1]; `chance` is uniform in [0, 1). */
export function addTo(baseline: Baseline, x: number, at: number, caller: string, chance: number): void {
  if (baseline.n === 0) baseline.first = at;
  baseline.last = Math.max(baseline.last, at);
  baseline.n++;
  baseline.sum += x;
  baseline.squares += x * x;
  const hour = baseline.hours[hourOf(at)]!;
  hour[0]++;
  hour[1] += x;
  addShare(baseline.callers, hashOf(caller) % MOST_SHARES, x);
  addShare(baseline.spans, ((Math.floor(at / HOUR) % HOURS_APART) + HOURS_APART) % HOURS_APART, x);
  if (baseline.some.length < SOME) baseline.some.push(x);
  else {
    const place = Math.floor(chance * baseline.n);
    if (place < SOME) baseline.some[place] = x;
  }
}

function addShare(shares: Share[], key: number, x: number): void {
  const own = shares.findLast(([known]) => known === key);
  if (own === undefined) shares.push([key, 1, x]);
  else {
    own[1]++;
    own[2] += x;
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
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
 *
 * Numbers of one caller, and of one hour, may have much in common: they count for as many independent ones as make means vary as much ({@link designEffect}), and what goes beyond independence counts twice, because callers and hours to come are another such draw.
 */
export function usualOf(baseline: Baseline, tolerance: number): Usual {
  const { n, sum, squares, hours, callers, spans, first, last } = baseline;
  const mean = n === 0 ? 0.5 : sum / n;
  const variance = n < 2 ? 0.25 : Math.max(0, (squares - sum * mean) / (n - 1));
  const filled = hours.filter(([count]) => count >= PER_HOUR);
  const ofCallers = designEffect(callers, () => mean, variance);
  const within = designEffect(spans, (span) => meanOf(hours[span % 24]!, mean), variance, filled.length);
  const statistic = filled.reduce(
    (all, [count, total]) => all + (count * (total / count - mean) ** 2) / Math.max(variance, 1e-9),
    0,
  );
  const differ =
    last - first >= DAYS * 24 * HOUR &&
    filled.length > 1 &&
    chiSquareTail(statistic / Math.max(ofCallers, within), filled.length - 1) < 0.01;
  const effect = Math.max(ofCallers, differ ? within : designEffect(spans, () => mean, variance));
  const alike = 1 + 2 * (effect - 1);
  const bound = (count: number, total: number) =>
    Math.min(1, upperBound(Math.floor(count / alike), total / count, variance) + tolerance);
  const overall = bound(n, sum);
  const why = `${n} calm samples${alike > 1.5 ? `, which say as much as ${Math.round(n / alike)} independent ones` : ''}`;
  if (!differ) return { mean, most: overall, byHour: undefined, why };
  const byHour = hours.map(([count, total]) => (count >= PER_HOUR ? bound(count, total) : overall));
  return { mean, most: Math.max(...byHour, overall), byHour, why: `${why}, by the hour of the day` };
}

const meanOf = ([count, total]: readonly [number, number], otherwise: number): number =>
  count > 0 ? total / count : otherwise;

function upperBound(n: number, mean: number, variance: number): number {
  if (!(n >= 2)) return 1;
  const exact = clopperPearson(Math.min(n, Math.ceil(n * mean)), n)[1];
  // Maurer & Pontil 2009, theorem 4
  const log = Math.log(2 / 0.025);
  return Math.min(exact, mean + Math.sqrt((2 * variance * log) / n) + (7 * log) / (3 * (n - 1)));
}
