import { isFloat, isInteger } from '../dtype.ts';
import { broadcast } from '../shape/dims.ts';
import { boolTensor, numbersOf, type Tensor, tensorFrom } from '../tensor.ts';
import { assemble, broadcastIndices, integersOf, integerTensor } from './elements.ts';
import type { FoldRule } from './rule.ts';

type Real1 = (x: number) => number;
type Real2 = (a: number, b: number) => number;
type Whole1 = (x: bigint) => bigint;
/** `undefined`: no result that C defines, so the runtime decides. */
type Whole2 = (a: bigint, b: bigint) => bigint | undefined;

/** Rounds to the nearest integer, halves to even. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return rest < 0.5 ? floor : floor + 1;
}

const unary =
  (real: Real1, whole?: Whole1): FoldRule =>
  ({ data }) => {
    const x = data[0]!;
    if (isFloat(x.dtype)) return [tensorFrom(x.dtype, x.dims, Float64Array.from(numbersOf(x), real))];
    const values = whole && isInteger(x.dtype) ? integersOf(x) : undefined;
    return values && [integerTensor(x.dtype, x.dims, values.map(whole!))];
  };

/** Left to right over all inputs, as the variadic operators define it. */
const arithmetic =
  (real: Real2 | undefined, whole: Whole2 | undefined): FoldRule =>
  (ctx) => {
    let result = ctx.data[0]!;
    for (const next of ctx.data.slice(1)) {
      const dims = broadcast(ctx, [result.dims, next!.dims]) as readonly number[];
      const [i, j] = [broadcastIndices(result.dims, dims), broadcastIndices(next!.dims, dims)];
      if (isFloat(result.dtype)) {
        if (!real) return undefined;
        const [a, b] = [numbersOf(result), numbersOf(next!)];
        result = tensorFrom(
          result.dtype,
          dims,
          Float64Array.from(i, (p, k) => real(a[p]!, b[j[k]!]!)),
        );
      } else {
        const [a, b] = [integersOf(result), integersOf(next!)];
        if (!a || !b || !whole) return undefined;
        const values = Array.from(i, (p, k) => whole(a[p]!, b[j[k]!]!));
        if (values.includes(undefined)) return undefined;
        result = integerTensor(result.dtype, dims, values as bigint[]);
      }
    }
    return [result];
  };

const compare =
  (test: (a: number | bigint, b: number | bigint) => boolean): FoldRule =>
  ({ data, dims }) => {
    const [x, y] = [data[0]!, data[1]!];
    const [a, b] = isFloat(x.dtype) ? [numbersOf(x), numbersOf(y)] : [integersOf(x), integersOf(y)];
    if (!a || !b || !dims) return undefined;
    const [i, j] = [broadcastIndices(x.dims, dims), broadcastIndices(y.dims, dims)];
    return [
      boolTensor(
        dims,
        Array.from(i, (p, k) => test(a[p]!, b[j[k]!]!)),
      ),
    ];
  };

const predicate =
  (test: (x: number) => boolean): FoldRule =>
  ({ data }) => {
    const x = data[0]!;
    return isFloat(x.dtype) || x.dtype === 'bool'
      ? [boolTensor(x.dims, Array.from(numbersOf(x), test))]
      : undefined;
  };

/** C's `pow`, which differs from `Math.pow` where the base is ±1. */
function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && !Number.isFinite(b) && !Number.isNaN(b))) return 1;
  return a ** b;
}

/** `Pow`: the exponent has its own type; an integer base keeps its type, so only exact results are folded. */
const pow: FoldRule = ({ data, dims }) => {
  const [x, y] = [data[0]!, data[1]!];
  if (!dims || !(isFloat(x.dtype) || isInteger(x.dtype)) || !(isFloat(y.dtype) || isInteger(y.dtype)))
    return undefined;
  const [a, b] = [numbersOf(x), numbersOf(y)];
  const j = broadcastIndices(y.dims, dims);
  const values = Float64Array.from(broadcastIndices(x.dims, dims), (p, k) => power(a[p]!, b[j[k]!]!));
  if (isFloat(x.dtype)) return [tensorFrom(x.dtype, dims, values)];
  const whole = values.map(Math.trunc);
  if (!whole.every(Number.isSafeInteger)) return undefined;
  const result = integerTensor(x.dtype, dims, Array.from(whole, BigInt));
  return numbersOf(result).every((v, i) => v === whole[i]) ? [result] : undefined;
};

/** `Mod`: the sign of the divisor for integers, the sign of the dividend with `fmod`; floats need `fmod`. */
const mod: FoldRule = (ctx) => {
  const fmod = ctx.attrs.int('fmod', 0) !== 0;
  const whole: Whole2 = (a, b) => (b === 0n ? undefined : fmod ? a % b : ((a % b) + b) % b);
  return arithmetic(fmod ? (a, b) => a % b : undefined, whole)(ctx);
};

/** `Mean` of floats: the sum over the number of inputs. */
const mean: FoldRule = (ctx) => {
  const sum = ctx.data[0]?.dtype === 'float32' ? ADD(ctx)?.[0] : undefined;
  return (
    sum && [
      tensorFrom(
        'float32',
        sum.dims,
        Float64Array.from(numbersOf(sum), (v) => v / ctx.data.length),
      ),
    ]
  );
};

const where: FoldRule = ({ data, dims }) => {
  const [condition, x, y] = [data[0]!, data[1]!, data[2]!];
  if (!dims) return undefined;
  const chosen = numbersOf(condition);
  const source = Uint8Array.from(broadcastIndices(condition.dims, dims), (i) => (chosen[i] ? 0 : 1));
  const [a, b] = [broadcastIndices(x.dims, dims), broadcastIndices(y.dims, dims)];
  const result = assemble(
    dims,
    [x, y],
    source,
    source.length === 0 ? a : a.map((v, i) => (source[i] ? b[i]! : v)),
  );
  return result && [result];
};

/** `Clip(x, min?, max?)`, since opset 11; the lower bound first, so that max wins where they cross. */
const clip: FoldRule = ({ data, opset, attrs }) => {
  const x = data[0]!;
  const bound = (i: number, name: string): Tensor | undefined =>
    opset >= 11 ? data[i] : attrs.has(name) ? tensorFrom('float64', [], [attrs.float(name)]) : undefined;
  const [low, high] = [bound(1, 'min'), bound(2, 'max')];
  if (isFloat(x.dtype)) {
    const [a, b] = [low ? numbersOf(low)[0]! : -Infinity, high ? numbersOf(high)[0]! : Infinity];
    return [
      tensorFrom(
        x.dtype,
        x.dims,
        Float64Array.from(numbersOf(x), (v) => Math.min(Math.max(v, a), b)),
      ),
    ];
  }
  const values = integersOf(x);
  const [a, b] = [low && integersOf(low)?.[0], high && integersOf(high)?.[0]];
  if (!values) return undefined;
  return [
    integerTensor(
      x.dtype,
      x.dims,
      values.map((v) => {
        const raised = a !== undefined && v < a ? a : v;
        return b !== undefined && raised > b ? b : raised;
      }),
    ),
  ];
};

const ADD = arithmetic(
  (a, b) => a + b,
  (a, b) => a + b,
);

/** Operators on each element alone, with NumPy broadcasting. */
export const ELEMENTWISE_FOLDS: Readonly<Record<string, FoldRule>> = {
  Abs: unary(Math.abs, (x) => (x < 0n ? -x : x)),
  Add: ADD,
  And: compare((a, b) => Boolean(a) && Boolean(b)),
  BitwiseAnd: arithmetic(undefined, (a, b) => a & b),
  BitwiseNot: unary(
    () => Number.NaN,
    (x) => ~x,
  ),
  BitwiseOr: arithmetic(undefined, (a, b) => a | b),
  BitwiseXor: arithmetic(undefined, (a, b) => a ^ b),
  Ceil: unary(Math.ceil),
  Clip: clip,
  Cos: unary(Math.cos),
  Div: arithmetic(
    (a, b) => a / b,
    (a, b) => (b === 0n ? undefined : a / b),
  ),
  Equal: compare((a, b) => a === b),
  Exp: unary(Math.exp),
  Floor: unary(Math.floor),
  Greater: compare((a, b) => a > b),
  GreaterOrEqual: compare((a, b) => a >= b),
  IsInf: (ctx) => {
    const [up, down] = [ctx.attrs.int('detect_positive', 1) !== 0, ctx.attrs.int('detect_negative', 1) !== 0];
    return predicate((x) => (up && x === Infinity) || (down && x === -Infinity))(ctx);
  },
  IsNaN: predicate(Number.isNaN),
  Less: compare((a, b) => a < b),
  LessOrEqual: compare((a, b) => a <= b),
  Log: unary(Math.log),
  Max: arithmetic(Math.max, (a, b) => (a > b ? a : b)),
  Mean: mean,
  Min: arithmetic(Math.min, (a, b) => (a < b ? a : b)),
  Mod: mod,
  Mul: arithmetic(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  Neg: unary(
    (x) => -x,
    (x) => -x,
  ),
  Not: predicate((x) => x === 0),
  Or: compare((a, b) => Boolean(a) || Boolean(b)),
  Pow: pow,
  Reciprocal: unary((x) => 1 / x),
  Relu: unary(
    (x) => Math.max(x, 0),
    (x) => (x < 0n ? 0n : x),
  ),
  Round: unary(roundHalfEven),
  Sign: unary(Math.sign, (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n)),
  Sin: unary(Math.sin),
  Sqrt: unary(Math.sqrt),
  Sub: arithmetic(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  Sum: ADD,
  Tanh: unary(Math.tanh),
  Where: where,
  Xor: compare((a, b) => Boolean(a) !== Boolean(b)),
};
