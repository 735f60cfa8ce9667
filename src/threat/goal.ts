import { GlacisError } from '../core/error.ts';
import type { Value } from '../onnx/graph-builder.ts';
import { f32, type HostTensor, i64 } from '../runtime/array.ts';
import {
  binaryCrossEntropy,
  binaryCrossEntropyGradient,
  classLead,
  crossEntropy,
  crossEntropyGradient,
  squaredError,
} from '../transform/loss.ts';
import type { Ops } from '../transform/ops.ts';

/** What a model's outputs mean. */
export const TASKS = ['classification', 'binary', 'multilabel', 'regression'] as const;

/** One of {@link TASKS}. */
export type Task = (typeof TASKS)[number];

/** What an attacker wants of each sample, as numbers and as a graph. */
export interface Goal {
  readonly task: Task;
  readonly targeted: boolean;
  /** The class that the sample should leave (untargeted) or reach (targeted); `undefined` where the task has no classes. */
  aim(sample: number): number | undefined;
  /** Labels (or targets) of the given samples, as the graph's `goal` input wants them. */
  feed(samples: readonly number[]): HostTensor;
  /** Type and shape of that input for a batch. */
  input(batch: number): { readonly dtype: 'int64' | 'float32'; readonly dims: readonly number[] };
  /**
   * The loss that the attacker raises, `[B]`, and the gradient of its sum with respect to the logits, `[B, K]`, where one
   * written by hand is cheaper or keeps its direction for longer.
   */
  loss(b: Ops, logits: Value, goal: Value): { readonly loss: Value; readonly gradient?: Value };
  /** Minus the {@link margin} as a graph, `[B]`, up to a constant: what most minimum-norm attacks raise. */
  marginLoss(b: Ops, logits: Value, goal: Value): Value;
  /**
   * How far `sample` is from the goal, in the outputs' units: above 0 while the goal is not reached, below 0 once it is. For
   * classes `z_y − max_{i≠y} z_i`; for several labels the smallest of theirs; for a regression the tolerance that is left.
   */
  margin(sample: number, outputs: Float32Array, offset: number): number;
  /** Whether the attacker has reached the goal for `sample`, given the row of `outputs` that starts at `offset`; an answer that is no number is a wrong one. */
  reached(sample: number, outputs: Float32Array, offset: number): boolean;
}

/** Index of the largest of `k` values from `offset`; the first of equal ones. NaN never wins. */
export function argmax(values: Float32Array, offset: number, k: number): number {
  let best = 0;
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < k; i++) {
    if (values[offset + i]! > top) {
      top = values[offset + i]!;
      best = i;
    }
  }
  return best;
}

/** Wrong class (untargeted) or a chosen class (`targets`) for logits of `classes` classes. */
export function classificationGoal(
  labels: ArrayLike<number>,
  classes: number,
  targets?: ArrayLike<number>,
): Goal {
  const aim = targets ?? labels;
  return {
    task: 'classification',
    targeted: targets !== undefined,
    aim: (sample) => aim[sample],
    feed: (samples) => i64(samples.map((s) => aim[s]!)),
    input: (batch) => ({ dtype: 'int64', dims: [batch] }),
    loss(b, logits, goal) {
      const loss = crossEntropy(b, logits, goal);
      const gradient = crossEntropyGradient(b, logits, goal);
      return targets ? { loss: b.neg(loss), gradient: b.neg(gradient) } : { loss, gradient };
    },
    marginLoss(b, logits, goal) {
      const lead = classLead(b, logits, goal);
      return targets ? lead : b.neg(lead);
    },
    margin(sample, outputs, offset) {
      const own = aim[sample]!;
      let other = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < classes; i++) if (i !== own) other = Math.max(other, outputs[offset + i]!);
      const lead = outputs[offset + own]! - other;
      return targets ? -lead : lead;
    },
    reached(sample, outputs, offset) {
      const own = aim[sample]!;
      // A class whose score is no number is nobody's answer: it is neither right nor what an attacker wanted.
      const isAnswer = argmax(outputs, offset, classes) === own && !Number.isNaN(outputs[offset + own]!);
      return targets ? isAnswer : !isAnswer;
    },
  };
}

/** The other side of the threshold, for a single logit and labels 0 or 1. */
export function binaryGoal(labels: ArrayLike<number>): Goal {
  return {
    task: 'binary',
    targeted: false,
    aim: (sample) => labels[sample],
    feed: (samples) =>
      f32(
        Float32Array.from(samples, (s) => labels[s]!),
        [samples.length, 1],
      ),
    input: (batch) => ({ dtype: 'float32', dims: [batch, 1] }),
    loss: binaryLoss,
    marginLoss: binaryMarginLoss,
    margin: (sample, outputs, offset) => (labels[sample] === 1 ? 1 : -1) * outputs[offset]!,
    reached: (sample, outputs, offset) => !isSide(outputs[offset]!, labels[sample]!),
  };
}

/** Any label wrong, for `k` independent logits and labels in {0, 1}, row-major `[n, k]`. */
export function multilabelGoal(labels: ArrayLike<number>, k: number): Goal {
  return {
    task: 'multilabel',
    targeted: false,
    aim: () => undefined,
    feed: (samples) => f32(rows(labels, k, samples), [samples.length, k]),
    input: (batch) => ({ dtype: 'float32', dims: [batch, k] }),
    loss: binaryLoss,
    marginLoss: binaryMarginLoss,
    margin(sample, outputs, offset) {
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < k; i++)
        least = Math.min(least, (labels[sample * k + i] === 1 ? 1 : -1) * outputs[offset + i]!);
      return least;
    },
    reached(sample, outputs, offset) {
      for (let i = 0; i < k; i++) if (!isSide(outputs[offset + i]!, labels[sample * k + i]!)) return true;
      return false;
    },
  };
}

/** Any of `k` outputs off by more than `tolerance` (the outputs' units), for targets row-major `[n, k]`. */
export function regressionGoal(targets: ArrayLike<number>, k: number, tolerance: number): Goal {
  if (!(tolerance > 0))
    throw new GlacisError(
      'option/invalid',
      `--tolerance: expected a number above 0 (in the output's units), got ${tolerance}`,
    );
  return {
    task: 'regression',
    targeted: false,
    aim: () => undefined,
    feed: (samples) => f32(rows(targets, k, samples), [samples.length, k]),
    input: (batch) => ({ dtype: 'float32', dims: [batch, k] }),
    loss: (b, predictions, goal) => ({ loss: squaredError(b, predictions, goal) }),
    marginLoss: (b, predictions, goal) => b.reduceMax(b.unary('Abs', b.sub(predictions, goal)), [1]),
    margin(sample, outputs, offset) {
      let most = 0;
      for (let i = 0; i < k; i++)
        most = Math.max(most, Math.abs(outputs[offset + i]! - targets[sample * k + i]!));
      return tolerance - most;
    },
    reached(sample, outputs, offset) {
      for (let i = 0; i < k; i++)
        if (!(Math.abs(outputs[offset + i]! - targets[sample * k + i]!) <= tolerance)) return true;
      return false;
    },
  };
}

/** Whether a logit answers `label`: above 0 for 1, up to 0 for 0; one that is no number answers neither. */
function isSide(logit: number, label: number): boolean {
  return logit > 0 ? label === 1 : logit <= 0 && label === 0;
}

function binaryLoss(b: Ops, logits: Value, goal: Value) {
  return {
    loss: binaryCrossEntropy(b, logits, goal),
    gradient: binaryCrossEntropyGradient(b, logits, goal),
  };
}

/** The largest of `−s·z` over a sample's labels, `s` being 1 for label 1 and −1 for label 0. */
function binaryMarginLoss(b: Ops, logits: Value, targets: Value): Value {
  const side = b.sub(1, b.mul(targets, 2));
  return b.reduceMax(b.mul(logits, side), [1]);
}

function rows(values: ArrayLike<number>, k: number, samples: readonly number[]): Float32Array {
  const out = new Float32Array(samples.length * k);
  for (const [r, s] of samples.entries()) for (let i = 0; i < k; i++) out[r * k + i] = values[s * k + i]!;
  return out;
}
