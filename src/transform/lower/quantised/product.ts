import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { defineLowering, type LowerContext, type LowerRule } from '../rule.ts';
import { asFloat, centred, quantisedType, rounded } from './steps.ts';

/** A scale or zero point of a left operand: one for all, or one a row. */
const perRow = (b: Ops, v: Value | null): Value | null =>
  v && v.dims.length === 1 ? (v.dims[0] === 1 ? b.reshape(v, []) : b.unsqueeze(v, [1])) : v;

/** The same of a right operand: one for all, or one a column. */
const perColumn = (b: Ops, v: Value | null): Value | null =>
  v && v.dims.length === 1 && v.dims[0] === 1 ? b.reshape(v, []) : v;

const product = (b: Ops, x: Value, xZero: Value | null, y: Value, yZero: Value | null): Value =>
  b.matmul(centred(b, x, perRow(b, xZero)), centred(b, y, perColumn(b, yZero)));

/** `[M]` or a scalar, laid over the channels of `[N, M, …]`. */
const perChannel = (b: Ops, v: Value, rank: number): Value =>
  v.dims.length === 1 && v.dims[0] !== 1
    ? b.reshape(v, [v.dims[0]!, ...new Array<number>(rank - 2).fill(1)])
    : b.reshape(v, []);

/** The sums that an integer convolution makes, as floats, from `x − xZero` and `w − wZero`. */
function convolution(
  { b, node }: LowerContext,
  x: Value,
  xZero: Value | null,
  w: Value,
  wZero: Value | null,
  bias: Value | null,
): Value {
  const rank = x.dims.length;
  const zeros =
    wZero && wZero.dims.length === 1 && wZero.dims[0] !== 1
      ? b.reshape(wZero, [wZero.dims[0]!, ...new Array<number>(rank - 1).fill(1)])
      : wZero && b.reshape(wZero, []);
  const attributes = new Map([...node.attributes].filter(([name]) => name !== 'channels_last'));
  const inputs = [centred(b, x, xZero && b.reshape(xZero, [])), centred(b, w, zeros)];
  return b.builder.addNode('Conv', bias ? [...inputs, asFloat(b, bias)] : inputs, attributes, {
    name: node.name,
  })[0]!;
}

/** `[N, …, C]` ↔ `[N, C, …]`. */
const channelsFirst = (b: Ops, x: Value) =>
  b.transpose(x, [0, x.dims.length - 1, ...x.dims.slice(1, -1).map((_, i) => i + 1)]);
const channelsLast = (b: Ops, x: Value) => b.transpose(x, [0, ...x.dims.slice(2).map((_, i) => i + 2), 1]);

const qlinearConv = (context: LowerContext) => {
  const { b, attrs, inputs, input } = context;
  const last = attrs.int('channels_last', 0) === 1;
  const x = last ? channelsFirst(b, input(0)) : input(0);
  const sums = convolution(context, x, input(2), input(3), input(5), inputs[8] ?? null);
  const scale = b.div(b.mul(input(1), perChannel(b, input(4), x.dims.length)), b.reshape(input(6), []));
  const y = rounded(b, b.mul(sums, scale), b.reshape(input(7), []), quantisedType(input(7)));
  return [last ? channelsLast(b, y) : y];
};

/** Convolutions and matrix products over quantised numbers. */
export const products: readonly LowerRule[] = [
  ...['', 'com.microsoft'].map((domain) =>
    defineLowering({
      op: 'QLinearConv',
      domain,
      note: 'Conv of float steps, then Round and Clip',
      lower: qlinearConv,
    }),
  ),
  defineLowering({
    op: 'ConvInteger',
    note: 'Conv of float steps',
    lower: (context) => [
      convolution(
        context,
        context.input(0),
        context.inputs[2] ?? null,
        context.input(1),
        context.inputs[3] ?? null,
        null,
      ),
    ],
  }),
  defineLowering({
    op: 'MatMulInteger',
    note: 'MatMul of float steps',
    lower: ({ b, inputs, input }) => [product(b, input(0), inputs[2] ?? null, input(1), inputs[3] ?? null)],
  }),
  defineLowering({
    op: 'QLinearMatMul',
    note: 'MatMul of float steps, then Round and Clip',
    lower: ({ b, input }) => {
      const sums = product(b, input(0), input(2), input(3), input(5));
      const scale = b.div(b.mul(perRow(b, input(1))!, perColumn(b, input(4))!), b.reshape(input(6), []));
      return [rounded(b, b.mul(sums, scale), b.reshape(input(7), []), quantisedType(input(7)))];
    },
  }),
  defineLowering({
    op: 'MatMulIntegerToFloat',
    domain: 'com.microsoft',
    note: 'MatMul of float steps, scaled',
    lower: ({ b, inputs, input }) => {
      const sums = product(b, input(0), inputs[4] ?? null, input(1), inputs[5] ?? null);
      const y = b.mul(sums, b.mul(perRow(b, input(2))!, perColumn(b, input(3))!));
      return [inputs[6] ? b.add(y, inputs[6]) : y];
    },
  }),
  defineLowering({
    op: 'QGemm',
    domain: 'com.microsoft',
    note: 'MatMul of float steps, then Round and Clip',
    lower: ({ b, attrs, inputs, input }) => {
      const turn = (v: Value, name: string) => (attrs.int(name, 0) === 1 ? b.transpose(v, [1, 0]) : v);
      const columns = (v: Value) => perColumn(b, v)!;
      const left = turn(centred(b, input(0), b.reshape(input(2), [])), 'transA');
      const right = b.sub(asFloat(b, turn(input(3), 'transB')), asFloat(b, columns(input(5))));
      const product = b.matmul(left, right);
      // C is int32 on the scale alpha · a_scale · b_scale.
      const sums = inputs[6] ? b.add(product, asFloat(b, inputs[6])) : product;
      const scale = b.mul(b.mul(b.reshape(input(1), []), columns(input(4))), attrs.float('alpha', 1));
      if (!inputs[7]) return [b.mul(sums, scale)];
      const zero = inputs[8] ? b.reshape(inputs[8], []) : null;
      return [rounded(b, b.mul(sums, b.div(scale, b.reshape(inputs[7], []))), zero, quantisedType(zero))];
    },
  }),
];
