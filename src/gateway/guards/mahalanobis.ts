import { mahalanobis } from '../../detect/features/mahalanobis.ts';
import { thresholdGuard, thresholdOptions } from './threshold-guard.ts';

/** Features that lie far from those of every class: see the detector. */
export const mahalanobisGuard = thresholdGuard(mahalanobis, {
  about: 'Finds samples whose features lie far from those of all classes: other data, damaged inputs.',
  options: thresholdOptions,
});
