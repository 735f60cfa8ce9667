import { normalTail } from '../../privacy/normal-tail.ts';
import type { PairedTimes } from './bins.ts';

/** Wilcoxon's signed-rank test of the pairs. */
export interface SignedRank {
  readonly z: number;
  /** Two-sided. */
  readonly p: number;
  /** Median of b − a, in milliseconds. */
  readonly median: number;
}

/**
 * Whether b's answers come later than a's, pair by pair (Wilcoxon 1945): what drifts over minutes meets both of a pair, and a few
 * very slow answers weigh no more than others. Over networks this sees what a test of means does not (Kario 2023, "Everlasting
 * ROBOT", https://eprint.iacr.org/2023/1441). Normal approximation with the correction for ties; pairs without a difference are
 * left out.
 */
export function signedRank({ a, b }: PairedTimes): SignedRank {
  const differences = b.map((time, i) => time - a[i]!);
  const sorted = differences.slice().sort();
  const n0 = sorted.length;
  const median = n0 === 0 ? 0 : (sorted[(n0 - 1) >> 1]! + sorted[n0 >> 1]!) / 2;
  const order = differences.filter((d) => d !== 0).sort((x, y) => Math.abs(x) - Math.abs(y));
  const n = order.length;
  let [rankSum, ties] = [0, 0];
  for (let from = 0; from < n; ) {
    let to = from;
    let positive = 0;
    while (to < n && Math.abs(order[to]!) === Math.abs(order[from]!)) if (order[to++]! > 0) positive++;
    rankSum += positive * ((from + 1 + to) / 2);
    const size = to - from;
    ties += size ** 3 - size;
    from = to;
  }
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - ties / 48;
  if (!(variance > 0)) return { z: 0, p: 1, median };
  const z = (rankSum - (n * (n + 1)) / 4) / Math.sqrt(variance);
  return { z, p: Math.min(1, 2 * normalTail(Math.abs(z))), median };
}
