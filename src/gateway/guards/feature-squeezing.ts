import { squeezing } from '../../detect/squeeze/disagreement.ts';
import { sampledOptions, thresholdGuard } from './threshold-guard.ts';

/** Pictures about which the model changes its mind when they are made simpler: see the detector. */
export const featureSqueezingGuard = thresholdGuard(squeezing, {
  about:
    'Asks the model about simpler copies of a share of the pictures, and finds those it changes its mind about.',
  options: sampledOptions,
});
