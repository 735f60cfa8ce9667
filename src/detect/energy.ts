import { z } from 'zod';
import { GlacisError } from '../core/error.ts';
import { defineDetector } from './detector.ts';

/**
 * The energy of the logits, `−log Σ exp z` (Liu et al. 2020, "Energy-based Out-of-distribution Detection"): high where no class speaks for the
 * sample. It learns nothing. Cost: `classes` exponentials a sample.
 */
export const energy = defineDetector<Record<string, never>>({
  id: 'energy',
  needs: 'scores',
  kept: z.strictObject({}),
  fit: (_, { gives }) => {
    needLogits(gives);
    return {};
  },
  open(_, { classes, gives }) {
    needLogits(gives);
    return ({ n, scores }) => {
      const energies = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        const from = i * classes;
        let most = Number.NEGATIVE_INFINITY;
        for (let k = from; k < from + classes; k++) if (!(scores[k]! <= most)) most = scores[k]!;
        let sum = 0;
        for (let k = from; k < from + classes; k++) sum += Math.exp(scores[k]! - most);
        energies[i] = -most - Math.log(sum);
      }
      return energies;
    };
  },
});

/** Probabilities have lost what the energy measures: their exponentials always add up to the same. */
function needLogits(gives: 'logits' | 'probabilities'): void {
  if (gives !== 'logits')
    throw new GlacisError(
      'option/invalid',
      'energy: expected a model that gives logits, got one that gives probabilities; leave this guard out',
    );
}
