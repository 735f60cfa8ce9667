import { float } from '../../../onnx/attributes.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { defineLowering, type LowerContext, type LowerRule } from '../rule.ts';
import { dequantised, quantisedType, rounded } from './steps.ts';

const DOMAIN = 'com.microsoft';
const one = (b: Ops, v: Value | null | undefined): Value | null => (v ? b.reshape(v, []) : null);

/** Dequantise, compute `f`, quantise again: `X, x_scale, x_zero, y_scale, y_zero`. */
function unary(op: string, f: (context: LowerContext, x: Value) => Value): LowerRule {
  return defineLowering({
    op,
    domain: DOMAIN,
    note: 'dequantised, computed, then Round and Clip',
    lower: (context) => {
      const { b, inputs, input } = context;
      const x = dequantised(b, input(0), one(b, input(1))!, one(b, inputs[2]));
      const zero = one(b, inputs[4]);
      const y = b.div(f(context, x), one(b, input(3))!);
      return [rounded(b, y, zero, quantisedType(inputs[4] ?? inputs[2] ?? input(0)))];
    },
  });
}

/** The same of two operands: `A, scale, zero, B, scale, zero, scale, zero`. */
function binary(op: string, f: 'add' | 'mul'): LowerRule {
  return defineLowering({
    op,
    domain: DOMAIN,
    note: 'dequantised, computed, then Round and Clip',
    lower: ({ b, inputs, input }) => {
      const x = dequantised(b, input(0), one(b, input(1))!, one(b, inputs[2]));
      const y = dequantised(b, input(3), one(b, input(4))!, one(b, inputs[5]));
      const zero = one(b, inputs[7]);
      return [rounded(b, b.div(b[f](x, y), one(b, input(6))!), zero, quantisedType(zero, 'uint8'))];
    },
  });
}

/** A pooling function on `[N, …, C]` when `channels_last` is set. */
const pooling =
  (pool: (context: LowerContext, x: Value) => Value) =>
  (context: LowerContext, x: Value): Value => {
    if (context.attrs.int('channels_last', 0) === 0) return pool(context, x);
    const { b } = context;
    const spatial = x.dims.slice(1, -1);
    const y = pool(context, b.transpose(x, [0, x.dims.length - 1, ...spatial.map((_, i) => i + 1)]));
    return b.transpose(y, [0, ...spatial.map((_, i) => i + 2), 1]);
  };

/** Quantised operators that ONNX Runtime's optimiser writes between two quantised products. */
export const between: readonly LowerRule[] = [
  binary('QLinearAdd', 'add'),
  binary('QLinearMul', 'mul'),
  unary('QLinearLeakyRelu', ({ b, attrs }, x) =>
    b.node('LeakyRelu', [x], { alpha: float(attrs.float('alpha', 0.01)) }),
  ),
  unary('QLinearSigmoid', ({ b }, x) => b.unary('Sigmoid', x)),
  unary('QLinearSoftmax', ({ b, attrs }, x) => {
    const rank = x.dims.length;
    const given = attrs.int('axis', -1);
    const axis = given < 0 ? given + rank : given;
    if (attrs.int('opset', 13) >= 13) return b.node('Softmax', [x], { axis });
    const rows = elementCount(x.dims.slice(0, axis));
    const columns = elementCount(x.dims.slice(axis));
    return b.reshape(b.node('Softmax', [b.reshape(x, [rows, columns])], { axis: 1 }), x.dims);
  }),
  unary(
    'QLinearGlobalAveragePool',
    pooling(({ b }, x) => b.node('GlobalAveragePool', [x])),
  ),
  unary(
    'QLinearAveragePool',
    pooling(({ b, node }, x) => {
      const kept = [...node.attributes].filter(([name]) => name !== 'channels_last');
      return b.builder.addNode('AveragePool', [x], new Map(kept))[0]!;
    }),
  ),
  defineLowering({
    op: 'QLinearConcat',
    domain: DOMAIN,
    note: 'dequantised, joined, then Round and Clip',
    lower: ({ b, attrs, inputs, input }) => {
      const parts = Array.from({ length: Math.floor((inputs.length - 2) / 3) }, (_, k) =>
        dequantised(b, input(2 + 3 * k), one(b, input(3 + 3 * k))!, one(b, inputs[4 + 3 * k])),
      );
      const zero = one(b, input(1));
      const joined = b.concat(parts, attrs.int('axis'));
      return [rounded(b, b.div(joined, one(b, input(0))!), zero, quantisedType(zero))];
    },
  }),
];
