import { type DType, dtypeFromCode } from '../../../onnx/dtype.ts';
import { defineLowering, type LowerContext, type LowerRule } from '../rule.ts';
import { dynamicSteps } from './dynamic.ts';
import { asFloat, dequantised, quantisedType, rounded, type Spread, spread } from './steps.ts';

/** `axis` meant something only since opset 13: before, scales are scalars. */
const spreadOf = ({ attrs }: LowerContext): Spread => ({
  axis: attrs.int('axis', 1),
  block: attrs.int('block_size', 0),
});

const FLOAT8: readonly DType[] = [
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'float4e2m1',
];

/** `y = saturate(round(x / scale) + zero)`, rounding half to even: the same integers as the runtime's. */
const quantize = (context: LowerContext) => {
  const { b, attrs, inputs, input } = context;
  const named = attrs.int('output_dtype', 0);
  const fallback = (named !== 0 ? dtypeFromCode(named) : undefined) ?? 'uint8';
  const dtype = inputs[2] ? quantisedType(inputs[2], fallback) : fallback;
  if (FLOAT8.includes(dtype)) return undefined;
  const x = asFloat(b, input(0), input(1).dtype);
  const over = spreadOf(context);
  const zero = inputs[2] ? spread(context, asFloat(b, inputs[2], x.dtype), x.dims, over) : null;
  return [rounded(b, b.div(x, spread(context, b.cast(input(1), x.dtype), x.dims, over)), zero, dtype)];
};

/** `y = (x − zero) · scale`. */
const dequantize = (context: LowerContext) => {
  const { b, attrs, inputs, input } = context;
  const x = input(0);
  if (FLOAT8.includes(x.dtype)) return undefined;
  const scale = input(1);
  const over = spreadOf(context);
  const zero = inputs[2] ? spread(context, asFloat(b, inputs[2], scale.dtype), x.dims, over) : null;
  const y = dequantised(b, x, spread(context, scale, x.dims, over), zero);
  const named = attrs.int('output_dtype', 0);
  return [named !== 0 ? b.cast(y, dtypeFromCode(named) ?? y.dtype) : y];
};

/** `DynamicQuantizeLinear`: uint8 over the range of `x` and 0. */
const dynamicQuantize = defineLowering({
  op: 'DynamicQuantizeLinear',
  note: 'float steps: Round and Clip over the range of x',
  lower: ({ b, input }) => {
    const { steps, scale, zero } = dynamicSteps(b, input(0));
    return [steps, scale, zero];
  },
});

/** `QuantizeLinear`, `DequantizeLinear` (also in com.microsoft) and `DynamicQuantizeLinear`. */
export const linear: readonly LowerRule[] = [
  ...['', 'com.microsoft'].flatMap((domain) => [
    defineLowering({
      op: 'QuantizeLinear',
      domain,
      note: 'float steps: Clip(Round(x / scale) + zero)',
      lower: quantize,
    }),
    defineLowering({ op: 'DequantizeLinear', domain, note: '(x − zero) · scale', lower: dequantize }),
  ]),
  dynamicQuantize,
];
