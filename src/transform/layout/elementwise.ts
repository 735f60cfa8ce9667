import type { BuiltNode, Value } from '../../onnx/graph-builder.ts';
import { sameDims } from '../ops.ts';
import type { Form } from './forms.ts';
import type { LayoutContext } from './layout-context.ts';

/** Unary float operators that treat every element alike, and so run on any layout. */
const UNARY = new Set([
  'Relu',
  'HardSigmoid',
  'Sigmoid',
  'Tanh',
  'LeakyRelu',
  'Elu',
  'Selu',
  'Celu',
  'Softplus',
  'Softsign',
  'HardSwish',
  'Neg',
  'Abs',
  'Exp',
  'Sqrt',
  'Erf',
  'Gelu',
  'Mish',
  'Identity',
  'Sign',
  'ThresholdedRelu',
  'Clip',
]);

/** Float operators that run on any layout when their operands have one shape, are scalars, or have one number a sample. */
const BROADCASTING = new Set(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Sum', 'FirstMax']);

/**
 * Writes an element-wise node in the layout of its operands: on buffers of one layout it is the same loop. A ReLU or a sum that alone
 * reads a convolution is fused into it. `undefined`: the node must be plain.
 *
 * @param out the node's output, a float image of whole blocks
 */
export function elementwise(
  context: LayoutContext,
  { node, inputs }: BuiltNode,
  out: Value,
): Form | undefined {
  const images = UNARY.has(node.op)
    ? [inputs[0]!]
    : BROADCASTING.has(node.op)
      ? (inputs as Value[])
      : undefined;
  if (!images) return undefined;
  const { b, formOf, isBlocked, isSpatial, fusible } = context;
  const { plain, blocked, spatial } = context.forms;
  const scalar = (v: Value) => v.dims.every((d) => d === 1);
  const perSample = (v: Value) => !scalar(v) && sameDims(v.dims, [out.dims[0]!, 1, 1, 1]);
  const full = images.filter((v) => sameDims(v.dims, out.dims));
  const fits = (v: Value) => scalar(v) || perSample(v) || sameDims(v.dims, out.dims);
  if (!images.every((v) => v.dtype === 'float32' && fits(v))) return undefined;
  const inSpace = full.some(isSpatial);
  if (!inSpace && !full.some(isBlocked)) return undefined;
  if (node.op === 'Relu') {
    const conv = fusible(images[0]!);
    if (conv) {
      conv.relu = true;
      return formOf(images[0]!);
    }
  }
  if (node.op === 'Add' && full.length === 2 && !inSpace && full[0]!.name !== full[1]!.name) {
    for (const [k, v] of full.entries()) {
      const conv = fusible(v);
      if (!conv || conv.sum) continue;
      conv.sum = blocked(formOf(full[1 - k]!));
      return formOf(v);
    }
  }
  const read = inSpace ? spatial : blocked;
  const parts = inputs.map((v) => {
    if (!v) return null;
    if (images.includes(v) && sameDims(v.dims, out.dims)) return read(formOf(v));
    // The batch is the first axis in blocks, the third with space in front.
    if (images.includes(v) && perSample(v))
      return inSpace ? b.reshape(plain(formOf(v)), [1, 1, v.dims[0]!, 1]) : plain(formOf(v));
    return images.includes(v) ? b.reshape(plain(formOf(v)), []) : plain(formOf(v));
  });
  const value = b.builder.addNode(node.op, parts, node.attributes, {
    name: node.name,
    domain: node.domain,
    types: [{ dtype: 'float32', dims: parts.find((v) => v && v.dims.length === 4)!.dims }],
  })[0]!;
  return { dims: out.dims, [inSpace ? 'spatial' : 'blocked']: value };
}
