import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../../transform/ops.ts';

/** Softmax over the classes of rows of logits `[B, K]`. */
export function softmax(b: Ops, logits: Value): Value {
  return b.node('Softmax', [logits], { axis: -1 });
}
