import { GlacisError } from '../../core/error.ts';
import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';

/** A threshold and what it does to harmless inputs. */
export interface CalibratedThreshold {
  readonly threshold: number;
  /** Share of the calibration samples above it, with a 95 % interval. */
  readonly rate: number;
  readonly interval: readonly [number, number];
  readonly n: number;
}

/**
 * The threshold above which at most a share `rate` of harmless samples diverges: the ⌈(n + 1)(1 − rate)⌉-th smallest divergence,
 * so that the next sample lies above it with probability `rate` at most if it comes from where these came from (Vovk, Gammerman,
 * Shafer 2005: conformal prediction). With the measure `label`, where values are 0 and 1, the rate is what it is. Errors:
 * `option/invalid` for a rate outside 0 to 1 or for fewer samples than 1/rate − 1, which cannot show it; `data/not-finite`.
 */
export function calibrateThreshold(divergences: Float64Array, rate: number): CalibratedThreshold {
  const n = divergences.length;
  if (!(rate > 0 && rate < 1))
    throw new GlacisError('option/invalid', `threshold: expected a rate between 0 and 1, got ${rate}`);
  // Rounding must not ask for a sample more: (n + 1)(1 − rate) is often whole.
  const rank = Math.ceil((n + 1) * (1 - rate) - 1e-9);
  if (rank > n)
    throw new GlacisError(
      'option/invalid',
      `threshold: expected at least ${Math.ceil(1 / rate - 1 - 1e-9)} samples for a rate of ${rate}, got ${n}`,
    );
  const sorted = divergences.slice().sort();
  if (!sorted.every(Number.isFinite))
    throw new GlacisError('data/not-finite', 'threshold: expected finite divergences, got others');
  const threshold = sorted[rank - 1]!;
  const above = sorted.reduce((count, value) => count + (value > threshold ? 1 : 0), 0);
  return { threshold, rate: above / n, interval: clopperPearson(above, n), n };
}
