import type { Attributes } from '../../src/onnx/attributes.ts';
import { DTYPE_CODES, dtypeFromCode, isFloat } from '../../src/onnx/dtype.ts';
import { broadcastDims, build, type RefFamily, type RefOp, type RefTensor, read } from './tensor.ts';

const unary =
  (f: (x: number, attrs: Attributes) => number): RefOp =>
  ({ input, attrs }) => {
    const x = input(0);
    return [build(x.dims, x.dtype, (i) => f(x.data[i]!, attrs))];
  };

/** `f` of the broadcast inputs, element by element. */
function zip(
  inputs: readonly RefTensor[],
  dtype: RefTensor['dtype'],
  f: (...x: number[]) => number,
): RefTensor {
  const dims = broadcastDims(inputs.map((t) => t.dims));
  return build(dims, dtype, (_, at) => f(...inputs.map((t) => read(t, at))));
}

const binary =
  (f: (x: number, y: number) => number): RefOp =>
  ({ input }) => [zip([input(0), input(1)], input(0).dtype, f)];

const comparison =
  (f: (x: number, y: number) => boolean): RefOp =>
  ({ input }) => [zip([input(0), input(1)], 'bool', (x, y) => Number(f(x, y)))];

const variadic =
  (f: (...x: number[]) => number): RefOp =>
  ({ inputs, input }) => [
    zip(
      inputs.map((t) => t!),
      input(0).dtype,
      f,
    ),
  ];

/** Error function to float64 precision: its series up to 3, beyond that the continued fraction of erfc. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 100; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = a;
  for (let k = 120; k >= 1; k--) fraction = a + k / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-a * a) / (fraction * Math.sqrt(Math.PI)));
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
const roundHalfEven = (x: number) => {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
};
const gelu = (x: number, attrs: Attributes) =>
  attrs.string('approximate', 'none') === 'tanh'
    ? 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
    : 0.5 * x * (1 + erf(x * Math.SQRT1_2));
const power = (x: number, y: number) => x ** y;

/** To another type: towards zero for integers, `!= 0` for bool; floats stay float64. */
function convert(x: RefTensor, dtype: RefTensor['dtype']): RefTensor {
  const to =
    dtype === 'bool' ? (v: number) => Number(v !== 0) : isFloat(dtype) ? (v: number) => v : Math.trunc;
  return build(x.dims, dtype, (i) => to(x.data[i]!));
}

/** Element-wise operators. */
export const ELEMENTWISE: RefFamily = {
  Abs: unary(Math.abs),
  Acos: unary(Math.acos),
  Acosh: unary(Math.acosh),
  Add: binary((x, y) => x + y),
  And: comparison((x, y) => x !== 0 && y !== 0),
  Asin: unary(Math.asin),
  Asinh: unary(Math.asinh),
  Atan: unary(Math.atan),
  Atanh: unary(Math.atanh),
  Cast: ({ input, attrs }) => [convert(input(0), dtypeFromCode(attrs.int('to', DTYPE_CODES.float32))!)],
  CastLike: ({ input }) => [convert(input(0), input(1).dtype)],
  Ceil: unary(Math.ceil),
  Celu: unary(
    (x, a) => Math.max(0, x) + Math.min(0, a.float('alpha', 1) * Math.expm1(x / a.float('alpha', 1))),
  ),
  Clip: ({ input, inputs }) => {
    const low = inputs[1]?.data[0] ?? Number.NEGATIVE_INFINITY;
    const high = inputs[2]?.data[0] ?? Number.POSITIVE_INFINITY;
    return [build(input(0).dims, input(0).dtype, (i) => clamp(input(0).data[i]!, low, high))];
  },
  Cos: unary(Math.cos),
  Cosh: unary(Math.cosh),
  Div: binary((x, y) => x / y),
  Dropout: ({ input }) => [input(0), build(input(0).dims, 'bool', () => 1)],
  Elu: unary((x, a) => (x > 0 ? x : a.float('alpha', 1) * Math.expm1(x))),
  Equal: comparison((x, y) => x === y),
  Erf: unary(erf),
  Exp: unary(Math.exp),
  Floor: unary(Math.floor),
  Gelu: unary(gelu),
  Greater: comparison((x, y) => x > y),
  GreaterOrEqual: comparison((x, y) => x >= y),
  HardSigmoid: unary((x, a) => clamp(a.float('alpha', 0.2) * x + a.float('beta', 0.5), 0, 1)),
  HardSwish: unary((x) => x * clamp(x / 6 + 0.5, 0, 1)),
  Identity: unary((x) => x),
  LeakyRelu: unary((x, a) => (x > 0 ? x : a.float('alpha', 0.01) * x)),
  Less: comparison((x, y) => x < y),
  LessOrEqual: comparison((x, y) => x <= y),
  Log: unary(Math.log),
  Max: variadic(Math.max),
  Mean: variadic((...x) => x.reduce((s, v) => s + v) / x.length),
  Min: variadic(Math.min),
  Mish: unary((x) => x * Math.tanh(softplus(x))),
  Mod: ({ input, attrs }) => [
    zip([input(0), input(1)], input(0).dtype, (x, y) =>
      attrs.int('fmod', 0) === 1 ? x % y : x - y * Math.floor(x / y),
    ),
  ],
  Mul: binary((x, y) => x * y),
  Neg: unary((x) => -x),
  Not: unary((x) => Number(x === 0)),
  Or: comparison((x, y) => x !== 0 || y !== 0),
  PRelu: binary((x, slope) => (x > 0 ? x : slope * x)),
  Pow: binary(power),
  Reciprocal: unary((x) => 1 / x),
  Relu: unary((x) => Math.max(x, 0)),
  Round: unary(roundHalfEven),
  Selu: unary((x, a) => {
    const gamma = a.float('gamma', 1.0507010221481323);
    return x > 0 ? gamma * x : gamma * a.float('alpha', 1.6732631921768188) * Math.expm1(x);
  }),
  Shrink: unary((x, a) => {
    const [lambda, bias] = [a.float('lambd', 0.5), a.float('bias', 0)];
    return x < -lambda ? x + bias : x > lambda ? x - bias : 0;
  }),
  Sigmoid: unary(sigmoid),
  Sign: unary(Math.sign),
  Sin: unary(Math.sin),
  Sinh: unary(Math.sinh),
  Softplus: unary(softplus),
  Softsign: unary((x) => x / (1 + Math.abs(x))),
  Sqrt: unary(Math.sqrt),
  Sub: binary((x, y) => x - y),
  Sum: variadic((...x) => x.reduce((s, v) => s + v)),
  Swish: unary((x, a) => x * sigmoid(a.float('alpha', 1) * x)),
  Tan: unary(Math.tan),
  Tanh: unary(Math.tanh),
  ThresholdedRelu: unary((x, a) => (x > a.float('alpha', 1) ? x : 0)),
  Where: ({ input }) => [zip([input(0), input(1), input(2)], input(1).dtype, (c, x, y) => (c !== 0 ? x : y))],
  Xor: comparison((x, y) => x !== y),
};
