import type { Criterion } from './criterion.ts';
import { softCrossEntropy } from './cross-entropy.ts';

/**
 * Cross-entropy against another model's probabilities `[n, K]`, which are given as the samples' targets (Hinton et al. 2015, at temperature 1); those of
 * {@link softCrossEntropy} are classes that only mixing makes soft.
 */
export function distillation(): Criterion {
  return { ...softCrossEntropy(), name: 'distillation' };
}
