import type { Value } from '../onnx/graph-builder.ts';
import { tensorFrom } from '../onnx/tensor.ts';
import type { Ops } from './ops.ts';

/**
 * Cross-entropy of every sample, `[B]`, from logits `[B, K]` and labels `[B]` (int64): `log Σ exp z − z_y`, computed through
 * LogSoftmax so that large logits neither overflow nor vanish.
 */
export function crossEntropy(b: Ops, logits: Value, labels: Value): Value {
  const logp = b.node('LogSoftmax', [logits], { axis: -1 });
  return b.neg(b.squeeze(b.node('GatherElements', [logp, b.unsqueeze(labels, [1])], { axis: 1 }), [1]));
}

/**
 * Gradient of `Σ crossEntropy` with respect to the logits, `softmax(z) − onehot(y)`: fewer passes than the chain rule writes.
 * The label's entry is written as minus the sum of the others: `p_y − 1` would be 0 in float32 as soon as the model is surer
 * than 1 − 2⁻²⁴, and an attack would lose half of its direction.
 */
export function crossEntropyGradient(b: Ops, logits: Value, labels: Value): Value {
  const offOn = b.builder.constant(tensorFrom(logits.dtype, [2], [0, 1]));
  const onehot = b.node('OneHot', [labels, b.scalar(logits.dims[1]!, 'int64'), offOn], { axis: 1 });
  const others = b.mul(b.node('Softmax', [logits], { axis: -1 }), b.sub(1, onehot));
  return b.sub(others, b.mul(onehot, b.sum(others, [1], true)));
}

/**
 * Binary cross-entropy summed over a sample's outputs, `[B]`, from logits and targets in {0, 1}, both `[B, K]`:
 * `Σ softplus(z) − t·z`.
 */
export function binaryCrossEntropy(b: Ops, logits: Value, targets: Value): Value {
  const terms = b.sub(b.unary('Softplus', logits), b.mul(targets, logits));
  return b.sum(terms, [1]);
}

/**
 * Gradient of `Σ binaryCrossEntropy` with respect to the logits, `σ(z) − t`, written as `s·σ(s·z)` with `s = 1 − 2t`, and `σ` by
 * exponentials: `σ(z) − 1` would be 0 above z = 17, and the runtime's own Sigmoid is 0 below −18.
 */
export function binaryCrossEntropyGradient(b: Ops, logits: Value, targets: Value): Value {
  const side = b.sub(1, b.mul(targets, 2));
  const u = b.mul(logits, side);
  const sigmoid = b.div(b.unary('Exp', b.min(u, 0)), b.add(b.unary('Exp', b.neg(b.unary('Abs', u))), 1));
  return b.mul(sigmoid, side);
}

/** Squared error summed over a sample's outputs, `[B]`, from predictions and targets, both `[B, K]`. */
export function squaredError(b: Ops, predictions: Value, targets: Value): Value {
  const d = b.sub(predictions, targets);
  return b.sum(b.mul(d, d), [1]);
}

/**
 * How far the class `labels` `[B]` (int64) leads the best other one: `z_y − max_{i≠y} z_i`, `[B]`, from logits `[B, K]`.
 * Its gradient touches the two classes only; equal runners-up share theirs.
 */
export function classLead(b: Ops, logits: Value, labels: Value): Value {
  const [own, others] = splitByLabel(b, logits, labels);
  return b.sub(own, b.reduceMax(others, [1]));
}

/**
 * Difference of logits ratio (Croce & Hein 2020), which no scaling of the logits changes: minus `z_y − max_{i≠y} z_i` over
 * `z_π1 − z_π3`, `[B]`. Needs three classes.
 */
export function logitsRatio(b: Ops, logits: Value, labels: Value): Value {
  const [first, , third] = largest(b, logits, 3);
  const spread = b.add(b.sub(first!, third!), RATIO_GUARD);
  return b.neg(b.div(classLead(b, logits, labels), spread));
}

/** The targeted difference of logits ratio: minus `z_y − z_t` over `z_π1 − (z_π3 + z_π4) / 2`, `[B]`. Needs four classes. */
export function targetedLogitsRatio(b: Ops, logits: Value, labels: Value, targets: Value): Value {
  const [first, , third, fourth] = largest(b, logits, 4);
  const spread = b.add(b.sub(first!, b.mul(b.add(third!, fourth!), 0.5)), RATIO_GUARD);
  const lead = b.sub(logitOf(b, logits, labels), logitOf(b, logits, targets));
  return b.neg(b.div(lead, spread));
}

/** Keeps the ratio finite where all logits are equal; the published constant. */
const RATIO_GUARD = 1e-12;

/** The `k` largest logits of each sample, each `[B]`, in falling order. */
function largest(b: Ops, logits: Value, k: number): readonly Value[] {
  const [top] = b.nodes('TopK', [logits, b.ints([k])], { axis: 1 }, { outputs: 2 });
  return Array.from({ length: k }, (_, i) => b.squeeze(b.slice(top!, 1, i, i + 1), [1]));
}

function logitOf(b: Ops, logits: Value, labels: Value): Value {
  return b.squeeze(b.node('GatherElements', [logits, b.unsqueeze(labels, [1])], { axis: 1 }), [1]);
}

/** The label's logit, `[B]`, and all logits with that one far below, `[B, K]`. */
function splitByLabel(b: Ops, logits: Value, labels: Value): readonly [Value, Value] {
  const offOn = b.builder.constant(tensorFrom(logits.dtype, [2], [0, 1]));
  const onehot = b.node('OneHot', [labels, b.scalar(logits.dims[1]!, 'int64'), offOn], { axis: 1 });
  return [logitOf(b, logits, labels), b.where(b.compare('Greater', onehot, 0), LOWEST, logits)];
}

/** Below every logit, and finite, so that its gradient stays a number. */
const LOWEST = -3e38;
