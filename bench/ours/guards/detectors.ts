import { alarmsAmong, type Threshold, thresholdFor } from '../../../src/detect/calibration/threshold.ts';
import type { Observations, Scorer, Watched } from '../../../src/detect/detector.ts';
import { DETECTORS } from '../../../src/detect/detectors.ts';

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
