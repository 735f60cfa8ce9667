import { margin } from '../../detect/margin.ts';
import { thresholdGuard, thresholdOptions } from './threshold-guard.ts';

/** Answers that hang in the balance: see the detector. */
export const marginGuard = thresholdGuard(margin, {
  about: 'Finds samples between two classes, where attacks that seek the nearest wrong answer end.',
  options: thresholdOptions,
});
