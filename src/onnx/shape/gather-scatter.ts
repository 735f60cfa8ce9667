import type { Dim } from '../model.ts';
import {
  axisIn,
  constantInts,
  constantNumber,
  contradiction,
  type Dims,
  one,
  productOf,
  required,
  showDims,
  withDim,
} from './dims.ts';
import { sameAsFirst } from './elementwise.ts';
import type { ShapeRule } from './rule.ts';

const gather: ShapeRule = (ctx) => {
  const [x, indices] = [required(ctx, 0), required(ctx, 1)];
  if (!x.dims || !indices.dims) return one(x.dtype, undefined);
  const axis = axisIn(ctx, ctx.attrs.int('axis', 0), x.dims.length);
  return one(x.dtype, [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)]);
};

const gatherElements: ShapeRule = (ctx) => {
  const [x, indices] = [required(ctx, 0), required(ctx, 1)];
  if (x.dims && indices.dims && x.dims.length !== indices.dims.length) {
    contradiction(ctx, 'data and indices of one rank', `${showDims(x.dims)} and ${showDims(indices.dims)}`);
  }
  return one(x.dtype, indices.dims);
};

/** `GatherND`: the last axis of the indices addresses the axes after `batch_dims`. */
const gatherNd: ShapeRule = (ctx) => {
  const [x, indices] = [required(ctx, 0), required(ctx, 1)];
  if (!x.dims || !indices.dims) return one(x.dtype, undefined);
  const batch = ctx.attrs.int('batch_dims', 0);
  const depth = indices.dims.at(-1);
  if (depth === undefined || x.dims.length === 0)
    contradiction(
      ctx,
      'data and indices of rank 1 or more',
      `${showDims(x.dims)} and ${showDims(indices.dims)}`,
    );
  if (typeof depth !== 'number') return one(x.dtype, undefined);
  if (
    batch < 0 ||
    batch >= Math.min(x.dims.length, indices.dims.length) ||
    depth < 1 ||
    batch + depth > x.dims.length
  ) {
    contradiction(
      ctx,
      `indices that address ${showDims(x.dims)} after ${batch} batch axes`,
      showDims(indices.dims),
    );
  }
  return one(x.dtype, [...indices.dims.slice(0, -1), ...x.dims.slice(batch + depth)]);
};

const oneHot: ShapeRule = (ctx) => {
  const indices = required(ctx, 0).dims;
  const dtype = required(ctx, 2).dtype;
  if (!indices) return one(dtype, undefined);
  const axis = axisIn(ctx, ctx.attrs.int('axis', -1), indices.length + 1);
  const depth = constantNumber(ctx, 1);
  if (depth !== undefined && depth < 1) contradiction(ctx, 'a depth of at least 1', String(depth));
  return one(dtype, [
    ...indices.slice(0, axis),
    depth === undefined ? null : Math.trunc(depth),
    ...indices.slice(axis),
  ]);
};

/** `NonZero` gives `[rank, number of non-zero elements]`; a scalar counts as rank 1. */
const nonZero: ShapeRule = (ctx) => {
  const { dims } = required(ctx, 0);
  return one('int64', [dims ? Math.max(dims.length, 1) : null, dims && productOf(dims) === 0 ? 0 : null]);
};

const unique: ShapeRule = (ctx) => {
  const x = required(ctx, 0);
  const axis = ctx.attrs.has('axis') ? ctx.attrs.int('axis') : undefined;
  let dims: Dims | undefined = [null];
  if (axis !== undefined) dims = x.dims && withDim(x.dims, axisIn(ctx, axis, x.dims.length), null);
  const inverse: Dim = axis === undefined ? (x.dims ? productOf(x.dims) : null) : (x.dims?.at(axis) ?? null);
  return [
    { dtype: x.dtype, dims },
    { dtype: 'int64', dims: [null] },
    { dtype: 'int64', dims: [inverse] },
    { dtype: 'int64', dims: [null] },
  ];
};

const topK: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  const k = ctx.opset < 10 ? ctx.attrs.int('k') : constantNumber(ctx, 1);
  if (k !== undefined && k < 0) contradiction(ctx, 'k of 0 or more', String(k));
  if (!dims)
    return [
      { dtype, dims },
      { dtype: 'int64', dims },
    ];
  const axis = axisIn(ctx, ctx.attrs.int('axis', -1), dims.length);
  const size = dims[axis]!;
  if (k !== undefined && typeof size === 'number' && k > size)
    contradiction(ctx, `k of at most ${size}`, String(k));
  const out = withDim(dims, axis, k ?? null);
  return [
    { dtype, dims: out },
    { dtype: 'int64', dims: out },
  ];
};

/** Boxes that survive: `[selected, 3]`, at most what the limit on boxes allows. */
const nonMaxSuppression: ShapeRule = (ctx) => {
  const limit = ctx.inputs[2] ? constantInts(ctx, 2)?.[0] : 0;
  return one('int64', [limit !== undefined && limit <= 0 ? 0 : null, 3]);
};

const scatterElements: ShapeRule = (ctx) => {
  required(ctx, 2);
  const [x, indices] = [required(ctx, 0), required(ctx, 1)];
  if (x.dims && indices.dims && x.dims.length !== indices.dims.length) {
    contradiction(ctx, 'data and indices of one rank', `${showDims(x.dims)} and ${showDims(indices.dims)}`);
  }
  if (x.dims) axisIn(ctx, ctx.attrs.int('axis', 0), x.dims.length);
  return one(x.dtype, x.dims);
};

/** `ScatterND`: updates have the shape of the indices' batch and the rest of the data. */
const scatterNd: ShapeRule = (ctx) => {
  required(ctx, 2);
  const [x, indices] = [required(ctx, 0), required(ctx, 1)];
  const depth = indices.dims?.at(-1);
  if (x.dims && typeof depth === 'number' && depth > x.dims.length) {
    contradiction(ctx, `indices that address at most ${x.dims.length} axes`, showDims(indices.dims));
  }
  return one(x.dtype, x.dims);
};

/** Operators that pick elements by index, and that write them there. */
export const GATHER_SCATTER: Readonly<Record<string, ShapeRule>> = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  NonMaxSuppression: nonMaxSuppression,
  NonZero: nonZero,
  OneHot: oneHot,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  TensorScatter: sameAsFirst,
  TopK: topK,
  Unique: unique,
};
