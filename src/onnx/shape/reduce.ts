import type { Dim } from '../model.ts';
import { axesIn, axisIn, constantInts, type Dims, lengthOf, one, required, unknownDims } from './dims.ts';
import { sameAsFirst } from './elementwise.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';

/** Axes by attribute, or as input 1: `ReduceSum` since opset 13, the others since 18. */
const reduce =
  (inputSince: number): ShapeRule =>
  (ctx) => {
    const { dtype, dims } = required(ctx, 0);
    return one(dtype, reducedDims(ctx, dims, ctx.opset >= inputSince));
  };

function reducedDims(ctx: ShapeContext, dims: Dims | undefined, asInput: boolean): Dims | undefined {
  const keep = ctx.attrs.int('keepdims', 1) !== 0;
  if (!dims) return undefined;
  let axes: readonly number[] = [];
  if (!asInput) axes = ctx.attrs.ints('axes', []);
  else if (ctx.inputs[1]) {
    const known = constantInts(ctx, 1);
    if (!known) {
      const n = lengthOf(ctx.inputs[1]);
      if (keep) return unknownDims(ctx, dims.length);
      return n === undefined || n === 0 ? undefined : unknownDims(ctx, dims.length - n);
    }
    axes = known;
  }
  if (axes.length === 0) {
    if (asInput && ctx.attrs.int('noop_with_empty_axes', 0) !== 0) return dims;
    axes = dims.map((_, i) => i);
  }
  const gone = new Set(axesIn(ctx, axes, dims.length));
  return keep ? dims.map((d, i) => (gone.has(i) ? 1 : d)) : dims.filter((_, i) => !gone.has(i));
}

const argReduce: ShapeRule = (ctx) => {
  const { dims } = required(ctx, 0);
  if (!dims) return one('int64', undefined);
  const axis = axisIn(ctx, ctx.attrs.int('axis', 0), dims.length);
  const keep = ctx.attrs.int('keepdims', 1) !== 0;
  const out: Dim[] = [...dims];
  out.splice(axis, 1, ...(keep ? [1] : []));
  return one('int64', out);
};

const OTHERS = [
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceMax',
  'ReduceMean',
  'ReduceMin',
  'ReduceProd',
  'ReduceSumSquare',
];

/** Reductions and running sums. */
export const REDUCE: Readonly<Record<string, ShapeRule>> = {
  ...Object.fromEntries(OTHERS.map((op) => [op, reduce(18)])),
  ArgMax: argReduce,
  ArgMin: argReduce,
  CumProd: sameAsFirst,
  CumSum: sameAsFirst,
  ReduceSum: reduce(13),
};
