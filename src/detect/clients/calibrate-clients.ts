import { type Interval, keptWatched } from '../calibration/calibrate.ts';
import type { GuardCalibration } from '../calibration/schema.ts';
import { alarmsAmong, thresholdFor } from '../calibration/threshold.ts';
import type { Observations, Watched } from '../detector.ts';
import { type ClientDetector, type ClientMemory, highestScores } from './client-detector.ts';

/** Calm clients, each with its queries in order; no client is in two parts. */
export interface ClientParts {
  readonly fit: readonly Observations[];
  /** Thresholds for a rate need at least 1 / rate − 1 of them. */
  readonly threshold: readonly Observations[];
  readonly heldOut: readonly Observations[];
}

/**
 * Learns from calm clients, sets thresholds so that at most a share `rate` of calm clients ever raises an alarm within as many queries as those given, and measures it on clients held
 * out. The same promise as `thresholdFor` makes for samples, with clients in their place: it holds for clients like these. No threshold is below 1, the least evidence that is one.
 * Errors: those of the detector.
 */
export function calibrateClients<Fit>(
  detector: ClientDetector<Fit>,
  watched: Watched,
  { fit, threshold, heldOut }: ClientParts,
  rates: readonly number[],
  memory: ClientMemory,
  interval: Interval,
  confidence?: number,
): GuardCalibration {
  const learnt = detector.fit(fit, watched);
  const watch = detector.open(learnt, watched, memory);
  const scores = highestScores(watch, threshold, 'threshold');
  const others = highestScores(watch, heldOut, 'held out');
  return {
    watched: keptWatched(watched),
    fit: learnt,
    thresholds: rates.flatMap((rate) => {
      const found = thresholdFor(scores, rate, confidence);
      if (found === undefined) return [];
      const level = Math.max(1, found.threshold);
      const alarms = alarmsAmong(others, level);
      const [low, high] = interval(alarms, others.length);
      return [{ ...found, threshold: level, heldOut: { n: others.length, alarms, low, high } }];
    }),
  };
}
