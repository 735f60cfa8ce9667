import { nearestFeatures } from '../../detect/features/nearest.ts';
import { thresholdGuard, thresholdOptions } from './threshold-guard.ts';

/** Features that no calm sample is near: see the detector. */
export const nearestFeaturesGuard = thresholdGuard(nearestFeatures, {
  about: 'Finds samples whose features are near none of a bank of calm samples.',
  options: thresholdOptions,
});
