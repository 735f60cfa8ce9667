import type { Detector } from './detector.ts';
import { energy } from './energy.ts';
import { mahalanobis } from './features/mahalanobis.ts';
import { nearestFeatures } from './features/nearest.ts';
import { entropy } from './input/entropy-detector.ts';
import { margin } from './margin.ts';
import { squeezing } from './squeeze/disagreement.ts';

/** Every detector that looks at one request and is calibrated on calm samples, the cheapest first. */
export const DETECTORS: readonly Detector<unknown>[] = [
  erased(entropy),
  erased(margin),
  erased(energy),
  erased(mahalanobis),
  erased(nearestFeatures),
  erased(squeezing),
];

/** A detector among others: what it learns comes back to it alone, so its own type fits. */
function erased<Fit>(detector: Detector<Fit>): Detector<unknown> {
  return detector as unknown as Detector<unknown>;
}
