import type { Rng } from '../../core/random.ts';
import type { Rows } from '../drift/rows.ts';
import { openSeries, type Series } from '../drift/series.ts';
import { betsAgainst, clipped } from '../statistics/betting.ts';
import { type EDetector, openEDetector } from '../statistics/e-detector.ts';
import {
  addTo,
  type Baseline,
  baselineSchema,
  emptyBaseline,
  hourOf,
  type Usual,
  usualOf,
} from './baseline.ts';

/** What a stream is told to watch for. */
export interface StreamOptions {
  /** A rise of the mean by less is not looked for. */
  readonly tolerance: number;
  /** Numbers from which it learns what is usual. */
  readonly learn: number;
  /** False alarms a day. */
  readonly perDay: number;
  /** Numbers a day, where it is known; otherwise as it comes. */
  readonly trafficPerDay?: number | undefined;
  /** Numbers between false alarms, on average at least, where that is not to follow from the traffic of this stream alone. */
  readonly runLength?: (() => number) | undefined;
  /** Numbers that are kept to show what rose; 2,000 where nothing is said. */
  readonly ring?: number | undefined;
}

/** A rise that was found. */
export interface Rise {
  /** The numbers since it seems to have begun, the last ones where there are too many. */
  readonly rows: Rows;
  /** Mean of those, what was usual on average, and what is held for usual at most. */
  readonly mean: number;
  readonly usual: Usual;
  /** log₁₀ of the evidence and of the run length. */
  readonly evidence: number;
  readonly threshold: number;
  /** When it seems to have begun, and how many numbers ago. */
  readonly since: number;
  readonly n: number;
  readonly runLength: number;
  readonly baseline: Baseline;
}

/** Watches the mean of numbers in [0, 1] for a rise. */
export interface MeanStream {
  /** Takes a number; what is found is given back. */
  take(x: number, caller: string, decision: string, at: number): Rise | undefined;
  /** Numbers between false alarms, on average at least. */
  readonly runLength: () => number;
  readonly phase: () => 'learning' | 'watching' | 'alarmed';
  readonly state: () => {
    readonly evidence: number | undefined;
    readonly threshold: number | undefined;
    readonly n: number;
    readonly mean: number | undefined;
    readonly usual: Usual | undefined;
    readonly series: Series;
  };
  /** What it remembers, as plain JSON. */
  keep(): unknown;
}

const RING = 2000;
const DAY = 86_400_000;
/** Least time between points of the series, and least run length. */
const STEP = 30_000;
const LEAST_RUN = 1000;

/** Opens one. Cost: some dozen operations a number. Constant memory. */
export function openMeanStream(
  options: StreamOptions,
  rng: Rng,
  kept?: unknown,
  given?: Baseline,
): MeanStream {
  const before = keptOf(kept);
  const baseline: Baseline = given ?? before?.baseline ?? emptyBaseline();
  let usual: Usual | undefined;
  let detector: EDetector | undefined;
  let threshold = LEAST_RUN;
  let n = before?.n ?? 0;
  let [first, latest] = [before?.first ?? Number.NaN, before?.latest ?? Number.NaN];
  let [since, sinceN] = [before?.since ?? 0, before?.sinceN ?? n];
  let above = before?.above ?? 0;
  let [alarmedUntil, shownAt] = [before?.alarmedUntil ?? -1, Number.NEGATIVE_INFINITY];
  const series = openSeries(before?.series);
  const ring = options.ring ?? RING;
  const x = new Float32Array(ring);
  const times = new Float64Array(ring);
  const callers: string[] = new Array<string>(ring).fill('');
  const decisions: string[] = new Array<string>(ring).fill('');
  // Numbers in the ring since this stream was opened.
  let held = 0;

  const begin = () => {
    usual = usualOf(baseline, options.tolerance);
    detector = openEDetector(usual.most, Number.POSITIVE_INFINITY, {
      bets: betsAgainst(usual.most),
      capitals: given === undefined || before?.origin === given.n ? before?.capitals : undefined,
    });
  };
  const runLength = (): number => {
    if (options.runLength !== undefined) return Math.max(LEAST_RUN, options.runLength());
    if (options.trafficPerDay !== undefined)
      return Math.max(LEAST_RUN, options.trafficPerDay / options.perDay);
    // As much as came a day so far; a day's from an hour's until there is more.
    const learnt = given === undefined && baseline.n > 0;
    const days = Math.max(1 / 24, (latest - (learnt ? baseline.first : first)) / DAY);
    const perDay = (n + (learnt ? baseline.n : 0)) / days;
    return Math.max(LEAST_RUN, perDay / options.perDay);
  };
  if (baseline.n >= options.learn || (given !== undefined && given.n > 0)) begin();
  if (!Number.isNaN(first)) threshold = runLength();

  const risen = (evidence: number): Rise => {
    const count = Math.min(held, n - sinceN, ring);
    const order = Array.from({ length: count }, (_, i) => (held - count + i) % ring);
    const rows: Rows = {
      n: count,
      width: 1,
      values: Float32Array.from(order, (i) => x[i]!),
      principals: order.map((i) => callers[i]!),
      decisions: order.map((i) => decisions[i]!),
      at: Float64Array.from(order, (i) => times[i]!),
    };
    const mean = rows.values.reduce((sum, each) => sum + each, 0) / Math.max(1, count);
    return {
      ...{ rows, mean, usual: usual!, evidence, threshold: Math.log10(threshold) },
      ...{ since, n: n - sinceN, runLength: threshold, baseline },
    };
  };

  return {
    take(number, caller, decision, at) {
      if (Number.isNaN(number) || !Number.isFinite(at)) return undefined;
      const value = clipped(number, 0);
      if (detector === undefined) {
        addTo(baseline, value, at, caller, rng.uniform());
        if (baseline.n >= options.learn) begin();
        return undefined;
      }
      if (Number.isNaN(first)) {
        first = at;
        latest = at;
        since = at;
        threshold = runLength();
      }
      if (at > latest) latest = at;
      n++;
      const place = held++ % ring;
      x[place] = value;
      times[place] = at;
      callers[place] = caller;
      decisions[place] = decision;
      if (n % 512 === 0) threshold = runLength();
      const bound = usual!.byHour?.[hourOf(at)] ?? usual!.most;
      detector.take(value, bound);
      const total = detector.total();
      // A rise began when the sum of what is above the usual was last 0 (Page 1954, Biometrika 41).
      above += value - bound;
      if (above <= 0) {
        above = 0;
        since = at;
        sinceN = n;
      }
      if (at - shownAt >= STEP) {
        shownAt = at;
        series.add(at, Math.max(0, Math.log10(total)));
      }
      if (total < threshold) return undefined;
      const rise = risen(Math.log10(total));
      alarmedUntil = n + 2 * Math.max(250, n - sinceN);
      series.add(at, rise.evidence);
      detector.reset();
      return rise;
    },
    runLength: () => threshold,
    phase: () => (detector === undefined ? 'learning' : n < alarmedUntil ? 'alarmed' : 'watching'),
    state: () => ({
      evidence: detector && n > 0 ? Math.max(0, Math.log10(detector.total())) : undefined,
      threshold: detector && Math.log10(threshold),
      n: detector === undefined ? baseline.n : n,
      mean:
        held === 0
          ? undefined
          : x.subarray(0, Math.min(held, ring)).reduce((sum, each) => sum + each, 0) / Math.min(held, ring),
      usual,
      series,
    }),
    keep: () => ({
      ...{ baseline, n, above, first, latest, since, sinceN, alarmedUntil, series: series.points() },
      ...{ origin: given?.n ?? 0, capitals: detector ? [...detector.capitals] : [] },
    }),
  };
}

interface Kept {
  readonly baseline: Baseline;
  readonly n: number;
  readonly above: number;
  readonly first: number;
  readonly latest: number;
  readonly since: number;
  readonly sinceN: number;
  readonly alarmedUntil: number;
  readonly series: unknown;
  readonly origin: number;
  readonly capitals: readonly number[];
}

/** From a snapshot: whole, or nothing. */
function keptOf(kept: unknown): Kept | undefined {
  const plain = (kept ?? {}) as Record<string, unknown>;
  const baseline = baselineSchema.safeParse(plain.baseline);
  if (!baseline.success) return undefined;
  const number = (name: string, otherwise: number) =>
    typeof plain[name] === 'number' && Number.isFinite(plain[name]) ? plain[name] : otherwise;
  return {
    baseline: baseline.data as Baseline,
    n: number('n', 0),
    above: number('above', 0),
    first: number('first', Number.NaN),
    latest: number('latest', Number.NaN),
    since: number('since', 0),
    sinceN: number('sinceN', 0),
    alarmedUntil: number('alarmedUntil', -1),
    series: plain.series,
    origin: number('origin', 0),
    capitals: Array.isArray(plain.capitals)
      ? plain.capitals.filter((c): c is number => typeof c === 'number')
      : [],
  };
}
