import type { Rng } from '../../core/random.ts';
import { binned, type PairedTimes } from './bins.ts';
import { type Guessing, guessing } from './guessing.ts';
import type { Measured } from './measure.ts';
import { type Information, mutualInformation } from './mutual-information.ts';
import { type SignedRank, signedRank } from './signed-rank.ts';
import { leakTests, strongest, type WelchTest } from './welch.ts';

/** From here on |t| is taken for a leak: the bound of test vector leakage assessment (TVLA, Goodwill et al. 2011). */
const T = 4.5;
/** Pairs below which silence means nothing; dudect's own bound. */
export const ENOUGH = 10_000;
const P = 1e-3;
const BINS = 32;
const PERMUTATIONS = 1999;

/** Half of the answers come within `p50` milliseconds, and so on. */
export interface Latency {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** What the times of two classes of queries say about the class. */
export interface TimingAnalysis {
  /** `leak`: told apart; `none seen`: 10,000 pairs or more and nothing; `too few`: nothing seen, and too few to say so. */
  readonly verdict: 'leak' | 'none seen' | 'too few';
  /** What told them apart. */
  readonly because: readonly string[];
  readonly pairs: number;
  readonly a: Latency;
  readonly b: Latency;
  /** Difference of the means, b − a, in milliseconds. */
  readonly difference: number;
  readonly raw: WelchTest;
  /** The largest |t| of all 102 tests. */
  readonly strongest: WelchTest;
  /** Measurements that show t = 5 by the strongest test: (5/τ)². */
  readonly needed: number;
  readonly ranks: SignedRank;
  readonly information: Information;
  readonly guessing: Guessing;
  /** What lengths of the answers say; and statuses. */
  readonly lengths: Information;
  readonly statuses: Information;
}

/**
 * Judges measurements in pairs. A leak is |t| above 4.5 in any of dudect's tests, or ranks, information of times, lengths or
 * statuses with p below 0.001. False alarms without any leak: below 0.5 % (the five p-values by their bound, the 102 tests at 4.5
 * by far less).
 */
export function judge({ times, lengths, statuses }: Measured, rng: Rng): TimingAnalysis {
  const { a, b } = times;
  const tests = leakTests(a, b);
  const most = strongest(tests);
  const bins = binned(times, BINS);
  const permutations = PERMUTATIONS;
  const information = mutualInformation(bins.a, bins.b, bins.bins, { permutations, rng: rng.fork('times') });
  const exact = (values: PairedTimes, label: string) => {
    const numbered = numberedFrom(values);
    if (numbered.bins === 2) return { bits: 0, chance: 0, p: 1 };
    return mutualInformation(numbered.a, numbered.b, numbered.bins, { permutations, rng: rng.fork(label) });
  };
  const [ofLengths, ofStatuses] = [exact(lengths, 'lengths'), exact(statuses, 'statuses')];
  const ranks = signedRank(times);
  const because = [
    ...(Math.abs(most.t) > T ? [`t = ${most.t.toFixed(1)} (${most.of})`] : []),
    ...(ranks.p < P ? [`ranks: z = ${ranks.z.toFixed(1)}`] : []),
    ...(information.p < P ? [`times say ${information.bits.toPrecision(2)} bits`] : []),
    ...(ofLengths.p < P ? [`lengths say ${ofLengths.bits.toPrecision(2)} bits`] : []),
    ...(ofStatuses.p < P ? [`statuses say ${ofStatuses.bits.toPrecision(2)} bits`] : []),
  ];
  const [latencyA, latencyB] = [latencyOf(a), latencyOf(b)];
  return {
    verdict: because.length > 0 ? 'leak' : a.length >= ENOUGH ? 'none seen' : 'too few',
    because,
    pairs: a.length,
    a: latencyA,
    b: latencyB,
    difference: latencyB.mean - latencyA.mean,
    raw: tests[0]!,
    strongest: most,
    needed: most.tau === 0 ? Number.MAX_SAFE_INTEGER : Math.ceil((5 / most.tau) ** 2),
    ranks,
    information,
    guessing: guessing(bins.a, bins.b, bins.bins),
    lengths: ofLengths,
    statuses: ofStatuses,
  };
}

/** Values as numbers from 0, by size; the 65,535 smallest, all above (if any) as one. */
function numberedFrom({ a, b }: PairedTimes): {
  readonly a: Uint16Array;
  readonly b: Uint16Array;
  readonly bins: number;
} {
  const values = [...new Set([...a, ...b])].sort((x, y) => x - y).slice(0, 65_535);
  const index = new Map(values.map((value, i) => [value, i]));
  const number = (value: number) => index.get(value) ?? values.length;
  return { a: Uint16Array.from(a, number), b: Uint16Array.from(b, number), bins: values.length + 1 };
}

function latencyOf(times: Float64Array): Latency {
  const sorted = times.slice().sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const mean = sorted.reduce((sum, time) => sum + time, 0) / Math.max(1, sorted.length);
  return { mean, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}
