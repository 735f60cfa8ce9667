import { GlacisError } from '../error.ts';
import { requireCounts } from './counts.ts';

/**
 * Wilson's score interval for a proportion: `[low, high]`, both in [0, 1], of `successes` out of `n` trials. It is the
 * part from which intervals of differences are made; a proportion by itself gets `clopperPearson`.
 * Without trials nothing is known: `[0, 1]`.
 *
 * @param successes whole number between 0 and `n`
 * @param n whole number of trials, 0 to 10⁹
 * @param z normal quantile; 1.96 gives 95 % confidence
 * @throws GlacisError `option/invalid` for anything else
 * @see Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22
 */
export function wilson(successes: number, n: number, z = 1.96): [number, number] {
  requireCounts('wilson', successes, n);
  if (!(z > 0) || !Number.isFinite(z)) {
    throw new GlacisError('option/invalid', `wilson: expected z to be a positive number, got ${z}`);
  }
  if (n === 0) return [0, 1];
  const p = successes / n;
  const zz = z * z;
  const centre = (p + zz / (2 * n)) / (1 + zz / n);
  const half = (z / (1 + zz / n)) * Math.sqrt((p * (1 - p)) / n + zz / (4 * n * n));
  // The ends are exactly p at 0 and n successes; rounding must not push them past it.
  return [Math.max(0, Math.min(p, centre - half)), Math.min(1, Math.max(p, centre + half))];
}
