import { GlacisError } from '../../core/error.ts';
import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import type { Scores } from '../output-guard.ts';
import { MEASURES, type Measure } from './config-schema.ts';
import { divergences } from './divergence.ts';
import { calibrateThreshold } from './threshold.ts';

/** A share with its 95 % interval. */
export interface Share {
  readonly n: number;
  readonly above: number;
  readonly interval: readonly [number, number];
}

/** A threshold of one measure for one rate of false alarms, and what was measured at it. */
export interface MeasureThreshold {
  readonly measure: Measure;
  /** The rate that was asked for. */
  readonly rate: number;
  readonly threshold: number;
  /** Of the calm samples that had no part in it, those above. */
  readonly heldOut: Share;
  /** Of attacked samples, those above. */
  readonly attacked?: Share | undefined;
}

/** What two models said to the same samples. */
export interface BothScores {
  readonly first: Scores;
  readonly second: Scores;
}

/**
 * Thresholds for `serve.verify`: of every measure, for every rate, from the even samples; measured on the odd ones. Errors: those
 * of {@link calibrateThreshold} and {@link divergences}.
 */
export function verificationThresholds(
  calm: BothScores,
  attacked: BothScores | undefined,
  rates: readonly number[],
): readonly MeasureThreshold[] {
  if (calm.first.n < 2)
    throw new GlacisError('option/invalid', `calibrate verify: expected samples, got ${calm.first.n}`);
  return MEASURES.flatMap((measure) => {
    const all = divergences(measure, calm.first, calm.second);
    const [even, odd] = [all.filter((_, i) => i % 2 === 0), all.filter((_, i) => i % 2 === 1)];
    const found = attacked && divergences(measure, attacked.first, attacked.second);
    return rates.map((rate) => {
      const { threshold } = calibrateThreshold(even, rate);
      return {
        measure,
        rate,
        threshold,
        heldOut: shareAbove(odd, threshold),
        ...(found && { attacked: shareAbove(found, threshold) }),
      };
    });
  });
}

function shareAbove(values: Float64Array, threshold: number): Share {
  const above = values.reduce((count, value) => count + (value > threshold ? 1 : 0), 0);
  return { n: values.length, above, interval: clopperPearson(above, values.length) };
}
