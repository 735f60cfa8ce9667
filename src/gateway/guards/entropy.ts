import { entropy } from '../../detect/input/entropy-detector.ts';
import { thresholdGuard, thresholdOptions } from './threshold-guard.ts';

/** Values that are too even or too uneven: see the detector. */
export const entropyGuard = thresholdGuard(entropy, {
  about:
    'Finds noise, blank pages and scrambled inputs by the entropy of their values, before the model runs.',
  options: thresholdOptions,
});
