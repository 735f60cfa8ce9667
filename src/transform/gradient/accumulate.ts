import type { BuiltNode, Value } from '../../onnx/graph-builder.ts';
import { type Ops, sameDims } from '../ops.ts';

/**
 * The sum of two gradients of one value. Where both were put together from parts in the same way (phases of strided
 * convolutions), the parts are added before and the result is put together once; parts that are zero cost nothing.
 */
export function addGradients(b: Ops, x: Value, y: Value): Value {
  if (isZero(b, x)) return y;
  if (isZero(b, y)) return x;
  const left = b.builder.producer(x);
  const right = b.builder.producer(y);
  if (
    left &&
    right &&
    left.node.op === right.node.op &&
    left.node.domain === '' &&
    right.node.domain === ''
  ) {
    if (left.node.op === 'DepthToSpace' && sameAttributes(left, right)) {
      const attributes = Object.fromEntries(left.node.attributes);
      return b.node('DepthToSpace', [addGradients(b, left.inputs[0]!, right.inputs[0]!)], attributes);
    }
    if (
      left.node.op === 'Concat' &&
      sameAttributes(left, right) &&
      left.inputs.length === right.inputs.length &&
      left.inputs.every((v, i) => sameDims(v!.dims, right.inputs[i]!.dims))
    ) {
      return b.concat(
        left.inputs.map((v, i) => addGradients(b, v!, right.inputs[i]!)),
        (left.node.attributes.get('axis') as { value: number }).value,
      );
    }
  }
  return b.add(x, y);
}

/** Whether a value is known to be all zeros: an expanded zero. */
function isZero(b: Ops, v: Value): boolean {
  const source = b.builder.producer(v);
  const filled = source?.node.op === 'Expand' ? source.inputs[0]?.data : v.data;
  return filled !== undefined && filled.data.byteLength <= 4096 && filled.data.every((byte) => byte === 0);
}

function sameAttributes(x: BuiltNode, y: BuiltNode): boolean {
  return JSON.stringify([...x.node.attributes]) === JSON.stringify([...y.node.attributes]);
}
