import { isFloat, isInteger } from '../dtype.ts';
import { axisIn, constantInts } from '../shape/dims.ts';
import { elementCount, int64Tensor, numbersOf, stridesOf, type Tensor, tensorFrom } from '../tensor.ts';
import { integersOf, integerTensor, stridedIndices, take } from './elements.ts';
import type { FoldContext, FoldRule } from './rule.ts';

interface Reduction {
  readonly real: (sum: number, x: number) => number;
  readonly whole?: (sum: bigint, x: bigint) => bigint;
  /** What an empty sum is; `undefined`: the first element, and empty reductions are left to the runtime. */
  readonly zero?: number;
  readonly finish?: (sum: number, count: number) => number;
}

/** Whether each axis is reduced. */
function reducedAxes(ctx: FoldContext, rank: number): boolean[] | undefined {
  const inputSince = ctx.node.op === 'ReduceSum' ? 13 : 18;
  const asInput = ctx.opset >= inputSince;
  const axes = asInput ? (ctx.inputs[1] ? constantInts(ctx, 1)! : []) : ctx.attrs.ints('axes', []);
  if (axes.length === 0)
    return asInput && ctx.attrs.int('noop_with_empty_axes', 0) !== 0
      ? undefined
      : new Array<boolean>(rank).fill(true);
  const reduced = new Array<boolean>(rank).fill(false);
  for (const a of axes) reduced[axisIn(ctx, a, rank)] = true;
  return reduced;
}

const reduce =
  ({ real, whole, zero, finish }: Reduction): FoldRule =>
  (ctx) => {
    const x = ctx.data[0]!;
    const { dims } = ctx;
    const reduced = reducedAxes(ctx, x.dims.length);
    // Without axes some operators still act on each element (ReduceSumSquare); the runtime knows which.
    if (!dims || !reduced) return undefined;
    const kept = x.dims.map((d, i) => (reduced[i] ? 1 : d));
    const strides = stridesOf(kept).map((s, i) => (reduced[i] ? 0 : s));
    const target = stridedIndices(x.dims, strides);
    const n = elementCount(dims);
    const count = n === 0 ? 0 : target.length / n;
    if (zero === undefined && count === 0) return undefined;
    if (isFloat(x.dtype)) {
      const values = numbersOf(x);
      const sums = new Array<number | undefined>(n).fill(zero);
      target.forEach((t, i) => {
        const before = sums[t];
        sums[t] = before === undefined ? values[i]! : real(before, values[i]!);
      });
      return [tensorFrom(x.dtype, dims, finish ? sums.map((s) => finish(s!, count)) : (sums as number[]))];
    }
    const values = whole && isInteger(x.dtype) ? integersOf(x) : undefined;
    if (!values || !whole) return undefined;
    const sums = new Array<bigint | undefined>(n).fill(zero === undefined ? undefined : BigInt(zero));
    target.forEach((t, i) => {
      const before = sums[t];
      sums[t] = before === undefined ? values[i]! : whole(before, values[i]!);
    });
    return [integerTensor(x.dtype, dims, sums as bigint[])];
  };

/** Splits a tensor into lines along an axis: for line `l`, its elements begin at `starts[l]` and lie `stride` apart. */
function linesAlong(x: Tensor, axis: number): { starts: Int32Array; stride: number; length: number } {
  const strides = stridesOf(x.dims);
  const starts = stridedIndices(
    x.dims.map((d, i) => (i === axis ? 1 : d)),
    strides,
  );
  return {
    starts: x.dims[axis] === 0 ? starts.slice(0, 0) : starts,
    stride: strides[axis]!,
    length: x.dims[axis]!,
  };
}

const argReduce =
  (sign: 1 | -1): FoldRule =>
  (ctx) => {
    const x = ctx.data[0]!;
    const { dims } = ctx;
    if (!dims || !(isFloat(x.dtype) || isInteger(x.dtype))) return undefined;
    const values = isFloat(x.dtype) ? numbersOf(x) : integersOf(x)!;
    const last = ctx.attrs.int('select_last_index', 0) !== 0;
    const { starts, stride, length } = linesAlong(x, axisIn(ctx, ctx.attrs.int('axis', 0), x.dims.length));
    if (length === 0 || Array.from<number | bigint>(values as ArrayLike<number>).some((v) => Number.isNaN(v)))
      return undefined;
    const best = Array.from(starts, (start) => {
      let at = 0;
      for (let i = 1; i < length; i++) {
        const [a, b] = [values[start + i * stride]!, values[start + at * stride]!];
        if ((sign > 0 ? a > b : a < b) || (last && a === b)) at = i;
      }
      return at;
    });
    return [int64Tensor(dims, best)];
  };

const cumulative =
  (zero: 0 | 1): FoldRule =>
  (ctx) => {
    const x = ctx.data[0]!;
    const axis = constantInts(ctx, 1)?.[0];
    if (axis === undefined || !(isFloat(x.dtype) || isInteger(x.dtype))) return undefined;
    const exclusive = ctx.attrs.int('exclusive', 0) !== 0;
    const reverse = ctx.attrs.int('reverse', 0) !== 0;
    const { starts, stride, length } = linesAlong(x, axisIn(ctx, axis, x.dims.length));
    const n = elementCount(x.dims);
    const run = <T extends number | bigint>(
      values: ArrayLike<T>,
      out: T[],
      empty: T,
      join: (a: T, b: T) => T,
    ) => {
      for (const start of starts) {
        let sum = empty;
        for (let k = 0; k < length; k++) {
          const at = start + (reverse ? length - 1 - k : k) * stride;
          const next = join(sum, values[at]!);
          out[at] = exclusive ? sum : next;
          sum = next;
        }
      }
      return out;
    };
    if (isFloat(x.dtype)) {
      const sums = run(
        numbersOf(x),
        new Array<number>(n).fill(0),
        zero,
        zero ? (a, b) => a * b : (a, b) => a + b,
      );
      return [tensorFrom(x.dtype, x.dims, sums)];
    }
    const sums = run(
      integersOf(x)!,
      new Array<bigint>(n).fill(0n),
      BigInt(zero),
      zero ? (a, b) => a * b : (a, b) => a + b,
    );
    return [integerTensor(x.dtype, x.dims, sums)];
  };

/** `TopK`: among equal elements the one with the lower index comes first. */
const topK: FoldRule = (ctx) => {
  const x = ctx.data[0]!;
  const { dims } = ctx;
  if (!dims || !(isFloat(x.dtype) || isInteger(x.dtype))) return undefined;
  const values: ArrayLike<number | bigint> = isFloat(x.dtype) ? numbersOf(x) : integersOf(x)!;
  if (Array.from(values).some((v) => Number.isNaN(v))) return undefined;
  const axis = axisIn(ctx, ctx.attrs.int('axis', -1), x.dims.length);
  const sign = ctx.attrs.int('largest', 1) !== 0 ? -1 : 1;
  const { starts, stride, length } = linesAlong(x, axis);
  const outStrides = stridesOf(dims);
  const [index, picks] = [new Int32Array(elementCount(dims)), new Array<number>(elementCount(dims)).fill(0)];
  const outStarts = stridedIndices(
    dims.map((d, i) => (i === axis ? 1 : d)),
    outStrides,
  );
  starts.forEach((start, l) => {
    const order = Array.from({ length }, (_, i) => i).sort((i, j) => {
      const [a, b] = [values[start + i * stride]!, values[start + j * stride]!];
      return a === b ? i - j : a < b ? -sign : sign;
    });
    for (let k = 0; k < dims[axis]!; k++) {
      const to = outStarts[l]! + k * outStrides[axis]!;
      picks[to] = order[k]!;
      index[to] = start + order[k]! * stride;
    }
  });
  const top = take(x, dims, index);
  return top && [top, int64Tensor(dims, picks)];
};

/** Reductions, running sums and order statistics. */
export const REDUCE_FOLDS: Readonly<Record<string, FoldRule>> = {
  ArgMax: argReduce(1),
  ArgMin: argReduce(-1),
  CumProd: cumulative(1),
  CumSum: cumulative(0),
  ReduceL1: reduce({ real: (s, x) => s + Math.abs(x), zero: 0 }),
  ReduceL2: reduce({ real: (s, x) => s + x * x, zero: 0, finish: Math.sqrt }),
  ReduceMax: reduce({ real: Math.max, whole: (s, x) => (x > s ? x : s) }),
  ReduceMean: reduce({ real: (s, x) => s + x, zero: 0, finish: (s, n) => s / n }),
  ReduceMin: reduce({ real: Math.min, whole: (s, x) => (x < s ? x : s) }),
  ReduceProd: reduce({ real: (s, x) => s * x, whole: (s, x) => s * x, zero: 1 }),
  ReduceSum: reduce({ real: (s, x) => s + x, whole: (s, x) => s + x, zero: 0 }),
  ReduceSumSquare: reduce({ real: (s, x) => s + x * x, whole: (s, x) => s + x * x, zero: 0 }),
  TopK: topK,
};
