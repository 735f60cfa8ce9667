import { energy } from '../../detect/energy.ts';
import { thresholdGuard, thresholdOptions } from './threshold-guard.ts';

/** Logits in which no class speaks for the sample: see the detector. */
export const energyGuard = thresholdGuard(energy, {
  about: 'Finds samples for which no class speaks.',
  options: thresholdOptions,
});
