import { type DType, dtypeFromCode } from '../dtype.ts';
import { broadcast, contradiction, one, required } from './dims.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';

/** Output like the first input. */
export const sameAsFirst: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  return one(dtype, dims);
};

/** NumPy broadcasting of all inputs, which share one type. */
export const broadcastAll: ShapeRule = (ctx) => {
  const first = required(ctx, 0);
  const all = ctx.inputs.map((_, i) => required(ctx, i));
  for (const f of all)
    if (f.dtype !== first.dtype) contradiction(ctx, 'inputs of one type', `${first.dtype} and ${f.dtype}`);
  return one(
    first.dtype,
    broadcast(
      ctx,
      all.map((f) => f.dims),
    ),
  );
};

const binary: ShapeRule = (ctx) => {
  required(ctx, 1);
  return broadcastAll(ctx);
};

/** `Pow`: the exponent may have another type (since opset 12); the result has the base's. */
const pow: ShapeRule = (ctx) => {
  const base = required(ctx, 0);
  return one(base.dtype, broadcast(ctx, [base.dims, required(ctx, 1).dims]));
};

const where: ShapeRule = (ctx) => {
  const [condition, x, y] = [required(ctx, 0), required(ctx, 1), required(ctx, 2)];
  if (x.dtype !== y.dtype) contradiction(ctx, 'inputs of one type', `${x.dtype} and ${y.dtype}`);
  return one(x.dtype, broadcast(ctx, [condition.dims, x.dims, y.dims]));
};

/** `PRelu`: the slope broadcasts to X, never X to the slope. */
const prelu: ShapeRule = (ctx) => {
  const x = required(ctx, 0);
  const all = broadcast(ctx, [x.dims, required(ctx, 1).dims]);
  if (all && x.dims && all.length !== x.dims.length)
    contradiction(ctx, 'a slope that broadcasts to X', 'one of higher rank');
  return one(x.dtype, x.dims);
};

/** The element type that an attribute names. */
export function dtypeAttribute(ctx: ShapeContext, name: string, fallback?: DType): DType {
  if (fallback !== undefined && !ctx.attrs.has(name)) return fallback;
  const code = ctx.attrs.int(name);
  return dtypeFromCode(code) ?? contradiction(ctx, `'${name}' to be an element type`, String(code));
}

const cast: ShapeRule = (ctx) => one(dtypeAttribute(ctx, 'to'), required(ctx, 0).dims);
const castLike: ShapeRule = (ctx) => one(required(ctx, 1).dtype, required(ctx, 0).dims);

/** `Dropout`: the mask is bool since opset 10, before that it has the data's type. */
const dropout: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  return [
    { dtype, dims },
    { dtype: ctx.opset >= 10 ? 'bool' : dtype, dims },
  ];
};

const UNARY = [
  'Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'BitwiseNot', 'Ceil', 'Celu', 'Clip', 'Cos', 'Cosh', 'Elu',
  'Erf', 'Exp', 'Floor', 'Gelu', 'HardSigmoid', 'HardSwish', 'Identity', 'LeakyRelu', 'Log', 'Mish', 'Neg', 'Reciprocal',
  'Relu', 'Round', 'Selu', 'Shrink', 'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus', 'Softsign', 'Sqrt', 'Swish', 'Tan',
  'Tanh', 'ThresholdedRelu',
]; // biome-ignore format: one list
const BINARY = ['Add', 'BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'Div', 'Mod', 'Mul', 'Sub'];

/** Operators that act on each element alone. */
export const ELEMENTWISE: Readonly<Record<string, ShapeRule>> = {
  ...Object.fromEntries(UNARY.map((op) => [op, sameAsFirst])),
  ...Object.fromEntries(BINARY.map((op) => [op, binary])),
  ...Object.fromEntries(['Max', 'Mean', 'Min', 'Sum'].map((op) => [op, broadcastAll])),
  BitCast: cast,
  Cast: cast,
  CastLike: castLike,
  Dropout: dropout,
  PRelu: prelu,
  Pow: pow,
  Where: where,
};
