import { normalTail } from '../../core/statistics/normal.ts';
import { type Spread, type SpreadMore, spreadOf } from '../drift/spread.ts';
import type { Rise } from './mean-stream.ts';

/** Odds beyond which a caller is behind a rise by its own numbers: e⁶, about 403 to 1, for all callers together. */
const OWN = Math.exp(-6);

/** Callers that an alarm names at most. */
const MOST = 32;

/** The deviation of calm numbers. */
function calmDeviation({ baseline, usual }: Pick<Rise, 'baseline' | 'usual'>): number {
  return Math.sqrt(Math.max(1e-6, baseline.squares / Math.max(1, baseline.n) - usual.mean ** 2));
}

/**
 * Callers whose own numbers rose, those with the most of it first: the mean of each against what is usual (one-sided, normal approximation, corrected for the number of callers). A tenant that loses says nothing about each
 * of its callers. Empty where nobody stands out.
 */
function callersBehind(rise: Rise): readonly string[] {
  const { rows, usual } = rise;
  const deviation = calmDeviation(rise);
  const sums = new Map<string, { sum: number; n: number }>();
  for (let i = 0; i < rows.n; i++) {
    const own = sums.get(rows.principals[i]!) ?? { sum: 0, n: 0 };
    own.sum += rows.values[i]! - usual.mean;
    own.n++;
    sums.set(rows.principals[i]!, own);
  }
  return [...sums]
    .filter(([, { sum, n }]) => normalTail(sum / (deviation * Math.sqrt(n))) <= OWN / sums.size)
    .sort(([, a], [, b]) => b.sum - a.sum)
    .slice(0, MOST)
    .map(([name]) => name);
}

/** Whose doing it is that one caller, or one tenant, loses where all together do not. */
export function spreadOfCaller(
  group: string,
  rise: Rise,
  history: NonNullable<SpreadMore['history']>,
): Spread {
  const principals = callersBehind(rise);
  const figures = { group: [group] };
  if (principals.length === 0)
    return {
      ...{ kind: 'drift', principals, figures },
      why: `Drift-like as far as one can tell: only ${group} loses, and none of its callers stands out; all together are as usual.`,
    };
  const past = history(new Set(principals));
  return past?.how === 'slow'
    ? {
        ...{ kind: 'drift', principals, figures },
        why: `Drift-like: only ${group} loses, and ${past.words}; all together are as usual.`,
      }
    : {
        ...{ kind: 'attack', principals, figures },
        why: `Attack-like: only ${group} loses; all together are as usual.`,
      };
}

/** Whose doing a rise is. */
export function spreadOfRise(
  rise: Rise,
  more: Pick<SpreadMore, 'calmShare' | 'distinct' | 'history'>,
): Spread {
  const { rows, usual } = rise;
  const excess = Float64Array.from(rows.values, (x) => x - usual.mean);
  const deviation = calmDeviation(rise);
  return spreadOf(rows, excess, {
    ...more,
    scoreOfRest(rest) {
      const mean = rest.values.reduce((sum, x) => sum + x, 0) / rest.n;
      return -Math.log10(Math.max(1e-300, normalTail(((mean - usual.mean) * Math.sqrt(rest.n)) / deviation)));
    },
  });
}
