import type { Value } from '../../onnx/graph-builder.ts';
import { numbersOf } from '../../onnx/tensor.ts';
import type { Ops } from '../ops.ts';
import { defineLowering } from './rule.ts';

/**
 * `x · (1 + erf(x / √2)) / 2`, as exporters before opset 20 write GELU, becomes one `Gelu`, whatever the order of the factors: one
 * pass over memory instead of five, and a gradient in nine instead of ten.
 */
export const geluPattern = defineLowering({
  op: 'Mul',
  note: 'the spelled-out GELU of older exporters becomes Gelu',
  lower({ b, input, inputs }) {
    if (inputs.length !== 2) return undefined;
    const factors = [input(0), input(1)].flatMap((v) => factorsOf(b, v));
    const half = factors.find((v) => isScalar(v, 0.5));
    const rest = factors.filter((v) => v !== half);
    if (!half || rest.length !== 2) return undefined;
    for (const [x, bell] of [rest, rest.toReversed()] as [Value, Value][]) {
      if (x.dtype === 'float32' && isCumulative(b, bell, x)) return [b.node('Gelu', [x])];
    }
    return undefined;
  },
});

/** The factors of a product of two, or the value itself. */
function factorsOf(b: Ops, v: Value): Value[] {
  const producer = b.builder.producer(v);
  return producer?.node.op === 'Mul' && producer.node.domain === '' ? (producer.inputs as Value[]) : [v];
}

/** Whether `v` is `1 + erf(x / √2)`. */
function isCumulative(b: Ops, v: Value, x: Value): boolean {
  const sum = b.builder.producer(v);
  if (sum?.node.op !== 'Add') return false;
  const erf = sum.inputs.find((term) => !isScalar(term!, 1));
  const inner = erf && b.builder.producer(erf);
  if (!sum.inputs.some((term) => isScalar(term!, 1)) || inner?.node.op !== 'Erf') return false;
  const scaled = b.builder.producer(inner.inputs[0]!);
  if (!scaled?.inputs.some((term) => term === x)) return false;
  const [first, second] = scaled.inputs as [Value, Value];
  if (scaled.node.op === 'Div') return first === x && isScalar(second, Math.SQRT2);
  return scaled.node.op === 'Mul' && isScalar(first === x ? second : first, Math.SQRT1_2);
}

/** Whether `v` is the constant `value`, up to float32 rounding. */
function isScalar(v: Value, value: number): boolean {
  if (!v.data || v.data.data.byteLength > 8 || !v.dtype.startsWith('float')) return false;
  const numbers = numbersOf(v.data);
  return numbers.length === 1 && Math.abs(numbers[0]! - value) <= 1e-6 * Math.abs(value);
}
