import type { Detector, Observations, Watched } from '../detector.ts';
import type { GuardCalibration } from './schema.ts';
import { alarmsAmong, thresholdFor } from './threshold.ts';

/** Samples for the steps of a calibration; no sample is in two of them. */
export interface CalibrationParts {
  /** What the detector learns from. */
  readonly fit: Observations;
  /** What thresholds are set on. */
  readonly threshold: Observations;
  /** What the rate of false alarms is measured on. */
  readonly heldOut: Observations;
  readonly attacked?: Observations | undefined;
}

/** A share's confidence interval, of `successes` out of `n`. */
export type Interval = (successes: number, n: number) => readonly [number, number];

/**
 * Learns, sets a threshold for each rate that so many samples allow, and measures it. The fit, thresholds and measurement use different samples, which is
 * what the promise of `thresholdFor` rests on. Errors: those of the detector.
 */
export async function calibrateDetector<Fit>(
  detector: Detector<Fit>,
  watched: Watched,
  parts: CalibrationParts,
  rates: readonly number[],
  interval: Interval,
  confidence?: number,
): Promise<GuardCalibration> {
  const fit = detector.fit(parts.fit, watched);
  const scorer = detector.open(fit, watched);
  const scores = await scorer(parts.threshold);
  const heldOut = await scorer(parts.heldOut);
  const attacked = parts.attacked && (await scorer(parts.attacked));
  const measure = (of: ArrayLike<number>, threshold: number) => {
    const alarms = alarmsAmong(of, threshold);
    const [low, high] = interval(alarms, of.length);
    return { n: of.length, alarms, low, high };
  };
  const thresholds = rates.flatMap((rate) => {
    const found = thresholdFor(scores, rate, confidence);
    if (found === undefined) return [];
    const { threshold } = found;
    return [
      {
        ...found,
        heldOut: measure(heldOut, threshold),
        ...(attacked && { attacked: measure(attacked, threshold) }),
      },
    ];
  });
  return {
    watched: keptWatched(watched),
    fit,
    thresholds,
  };
}

/** What a calibration file keeps of the model. */
export function keptWatched({
  sampleDims,
  classes,
  gives,
  features,
  range,
}: Watched): GuardCalibration['watched'] {
  return {
    sampleDims: [...sampleDims],
    classes,
    gives,
    ...(features !== undefined && { features }),
    ...(range && { range: [range[0], range[1]] }),
  };
}
