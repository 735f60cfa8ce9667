import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import { tensorFrom } from '../../onnx/tensor.ts';
import { crossEntropyGradient, crossEntropy as plainCrossEntropy } from '../../transform/loss.ts';
import type { Ops } from '../../transform/ops.ts';
import type { Criterion } from './criterion.ts';

/** How {@link crossEntropy} deviates from the plain one. */
export interface CrossEntropyOptions {
  /** Weight of each class, above or equal to 0; all 1 unless given. A batch's loss is the mean over its samples, not over their weights. */
  readonly classWeights?: readonly number[];
  /** Share of the target that is spread evenly over all classes, in [0, 1) (Szegedy et al. 2016). */
  readonly labelSmoothing?: number;
}

/**
 * Cross-entropy of logits `[B, K]` against labels `[B]` (int64).
 * Errors: `option/invalid`.
 */
export function crossEntropy({ classWeights, labelSmoothing = 0 }: CrossEntropyOptions = {}): Criterion {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw new GlacisError(
      'option/invalid',
      `labelSmoothing: expected a share from 0 up to, but not, 1, got ${labelSmoothing}`,
    );
  for (const weight of classWeights ?? [])
    if (!(weight >= 0 && Number.isFinite(weight)))
      throw new GlacisError('option/invalid', `classWeights: expected numbers of at least 0, got ${weight}`);
  return {
    name: 'cross-entropy',
    options: { labelSmoothing, ...(classWeights ? { classWeights: classWeights.join(' ') } : {}) },
    targets: (rows) => ({ dtype: 'int64', dims: [rows] }),
    write(b, logits, labels) {
      const classes = logits.dims[1]!;
      if (classWeights && classWeights.length !== classes)
        throw new GlacisError(
          'option/invalid',
          `classWeights: expected ${classes}, one a class, got ${classWeights.length}`,
        );
      const hits = b.compare('Equal', b.node('ArgMax', [logits], { axis: 1, keepdims: 0 }), labels);
      const hard = {
        losses: plainCrossEntropy(b, logits, labels),
        gradient: crossEntropyGradient(b, logits, labels),
      };
      const { losses, gradient } =
        labelSmoothing === 0 ? hard : smoothed(b, logits, hard, labelSmoothing, classes);
      if (!classWeights) return { losses, gradient, hits };
      const table = b.builder.constant(tensorFrom(logits.dtype, [classes], [...classWeights]));
      const weights = b.gather(table, labels, 0);
      return {
        losses: b.mul(losses, weights),
        gradient: b.mul(gradient, b.unsqueeze(weights, [1])),
        hits,
      };
    },
  };
}

/** `(1 − s) · CE + s · mean_k (−log p_k)`; the gradient of the second part is `p − 1/K`. */
function smoothed(
  b: Ops,
  logits: Value,
  hard: { readonly losses: Value; readonly gradient: Value },
  share: number,
  classes: number,
) {
  const even = b.neg(b.mean(b.node('LogSoftmax', [logits], { axis: -1 }), [1]));
  const evenGradient = b.sub(b.node('Softmax', [logits], { axis: -1 }), 1 / classes);
  return {
    losses: b.add(b.mul(hard.losses, 1 - share), b.mul(even, share)),
    gradient: b.add(b.mul(hard.gradient, 1 - share), b.mul(evenGradient, share)),
  };
}

/**
 * Cross-entropy against a distribution over the classes `[B, K]`, as mixed samples have it: `−Σ_k t_k log p_k`. A sample is right
 * where its most likely class is the target's.
 */
export function softCrossEntropy(): Criterion {
  return {
    name: 'soft-cross-entropy',
    options: {},
    targets: (rows, outputs) => ({ dtype: 'float32', dims: [rows, outputs] }),
    write(b, logits, targets) {
      const logp = b.node('LogSoftmax', [logits], { axis: -1 });
      const top = (v: Value) => b.node('ArgMax', [v], { axis: 1, keepdims: 0 });
      const total = b.sum(targets, [1], true);
      return {
        losses: b.neg(b.sum(b.mul(targets, logp), [1])),
        gradient: b.sub(b.mul(b.node('Softmax', [logits], { axis: -1 }), total), targets),
        hits: b.compare('Equal', top(logits), top(targets)),
      };
    },
  };
}
