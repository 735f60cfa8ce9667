import { GlacisError } from '../../core/error.ts';
import type { Criterion } from './criterion.ts';

/** Mean squared error over the outputs, from predictions and targets `[B, K]`. */
export function meanSquaredError(): Criterion {
  return {
    name: 'mse',
    options: {},
    targets: (rows, outputs) => ({ dtype: 'float32', dims: [rows, outputs] }),
    write(b, predictions, targets) {
      const difference = b.sub(predictions, targets);
      return {
        losses: b.mean(b.mul(difference, difference), [1]),
        gradient: b.mul(difference, 2 / predictions.dims[1]!),
      };
    },
  };
}

/**
 * Huber's loss (1964), mean over the outputs: `d²/2` up to `|d| = delta`, from there on the line `delta (|d| − delta/2)`, so that single
 * bad targets pull no harder than others. Errors: `option/invalid`.
 */
export function huber(delta = 1): Criterion {
  if (!(delta > 0 && Number.isFinite(delta)))
    throw new GlacisError('option/invalid', `delta: expected a number above 0, got ${delta}`);
  return {
    name: 'huber',
    options: { delta },
    targets: (rows, outputs) => ({ dtype: 'float32', dims: [rows, outputs] }),
    write(b, predictions, targets) {
      const difference = b.sub(predictions, targets);
      const near = b.max(b.min(difference, delta), -delta);
      // near · (d − near / 2) is d²/2 inside, and the line outside.
      const losses = b.mul(near, b.sub(difference, b.mul(near, 0.5)));
      return { losses: b.mean(losses, [1]), gradient: b.mul(near, 1 / predictions.dims[1]!) };
    },
  };
}
