import { binomialCdf, binomialPoint } from './binomial.ts';
import { requireCounts } from './counts.ts';
import { normalTail } from './normal.ts';

/** Discordant pairs from which the chi-square distribution is a fair approximation. */
const ENOUGH = 25;

/** McNemar's test of whether two answers to the same questions are right equally often. */
export interface McNemar {
  /** Two-sided p-value of the exact test: never too small, whatever the truth. */
  readonly p: number;
  /** The mid-p-value: closer to the nominal level on average, without the guarantee. */
  readonly midP: number;
  /** Edwards' continuity-corrected statistic with its p-value, from 25 discordant pairs on. */
  readonly chiSquare?: { readonly statistic: number; readonly p: number };
}

/**
 * McNemar's test on pairs that differ: `b` where only the first is right, `c` where only the second is. Under the null
 * hypothesis each of them falls to either side with probability ½; pairs on which both agree say nothing about it.
 * Without a discordant pair there is nothing to tell apart: p = 1.
 *
 * @param b whole number of 0 or more
 * @param c whole number of 0 or more; both together at most 10⁹
 * @throws GlacisError `option/invalid` for anything else
 * @see McNemar 1947, Psychometrika 12; mid-p as in Fagerland, Lydersen and Laake 2013,
 *   https://doi.org/10.1186/1471-2288-13-91
 * @example
 * mcnemar(6, 16); // { p: 0.0525, midP: 0.0347 }
 */
export function mcnemar(b: number, c: number): McNemar {
  const n = b + c;
  requireCounts('mcnemar', b, n);
  if (n === 0) return { p: 1, midP: 1 };
  const least = Math.min(b, c);
  const point = binomialPoint(least, n, 0.5);
  const p = b === c ? 1 : Math.min(1, 2 * binomialCdf(least, n, 0.5));
  const midP = b === c ? 1 - point / 2 : p - point;
  if (n < ENOUGH) return { p, midP };
  const statistic = Math.max(0, Math.abs(b - c) - 1) ** 2 / n;
  return { p, midP, chiSquare: { statistic, p: 2 * normalTail(Math.sqrt(statistic)) } };
}
