import { binaryCrossEntropy, binaryCrossEntropyGradient } from '../../transform/loss.ts';
import type { Criterion } from './criterion.ts';

/**
 * Binary cross-entropy summed over the outputs, from logits and targets in {0, 1}, both `[B, K]`: one output for two classes,
 * several for labels that do not exclude each other. A sample is right where all its outputs are on their target's side of 0.
 */
export function binary(): Criterion {
  return {
    name: 'binary',
    options: {},
    targets: (rows, outputs) => ({ dtype: 'float32', dims: [rows, outputs] }),
    write(b, logits, targets) {
      const positive = b.compare('Greater', logits, 0);
      const wrong = b.node('Xor', [positive, b.compare('Greater', targets, 0.5)]);
      return {
        losses: binaryCrossEntropy(b, logits, targets),
        gradient: binaryCrossEntropyGradient(b, logits, targets),
        hits: b.compare('Equal', b.sum(b.cast(wrong, 'float32'), [1]), 0),
      };
    },
  };
}
