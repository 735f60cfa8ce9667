import { alarmsAmong, type Threshold, thresholdFor } from '../../../src/detect/calibration/threshold.ts';
import type { Detector, Observations, Scorer, Watched } from '../../../src/detect/detector.ts';
import { energy } from '../../../src/detect/energy.ts';
import { mahalanobis } from '../../../src/detect/features/mahalanobis.ts';
import { nearestFeatures } from '../../../src/detect/features/nearest.ts';
import { entropy } from '../../../src/detect/input/entropy-detector.ts';
import { margin } from '../../../src/detect/margin.ts';
import { squeezing } from '../../../src/detect/squeeze/disagreement.ts';

/** Rates of false alarms that guards are measured at. */
export const RATES = [0.001, 0.01] as const;

/** A detector that has learnt, with its thresholds. */
export interface Tuned {
  readonly id: string;
  readonly fit: unknown;
  readonly scorer: Scorer;
  readonly thresholds: readonly (Threshold | undefined)[];
  /** Microseconds a sample that learning took, in all. */
  readonly learning: number;
}

const DETECTORS: readonly Detector<unknown>[] = [
  erased(entropy),
  erased(margin),
  erased(energy),
  erased(mahalanobis),
  erased(nearestFeatures),
  erased(squeezing),
];

/** All detectors, learnt on `fit` and with thresholds from `threshold`. */
export async function tuned(
  watched: Watched,
  { fit, threshold }: { readonly fit: Observations; readonly threshold: Observations },
): Promise<readonly Tuned[]> {
  const all: Tuned[] = [];
  for (const detector of DETECTORS) {
    const start = performance.now();
    const learnt = detector.fit(fit, watched);
    const learning = (1000 * (performance.now() - start)) / fit.n;
    const scorer = detector.open(learnt, watched);
    const scores = await scorer(threshold);
    const thresholds = RATES.map((rate) => thresholdFor(scores, rate));
    all.push({ id: detector.id, fit: learnt, scorer, thresholds, learning });
  }
  return all;
}

/** Alarms of a detector among samples, at each rate; `null` where there is no threshold. */
export async function alarmsOf(
  { scorer, thresholds }: Tuned,
  seen: Observations,
): Promise<readonly (number | null)[]> {
  const scores = await scorer(seen);
  return thresholds.map((found) => (found === undefined ? null : alarmsAmong(scores, found.threshold)));
}

function erased<Fit>(detector: Detector<Fit>): Detector<unknown> {
  return detector as unknown as Detector<unknown>;
}
