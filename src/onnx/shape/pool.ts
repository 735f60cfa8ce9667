import type { Dim } from '../model.ts';
import { constantInts, contradiction, type Dims, expectRank, one, required, showDims } from './dims.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';
import { readWindow, slide } from './window.ts';

function poolDims(ctx: ShapeContext): Dims | undefined {
  const { dims } = required(ctx, 0);
  if (!dims) return undefined;
  if (dims.length < 3) contradiction(ctx, 'X of rank 3 or more', showDims(dims));
  return [dims[0]!, dims[1]!, ...slide(ctx, dims.slice(2), readWindow(ctx, dims.length - 2))];
}

const pool: ShapeRule = (ctx) => one(required(ctx, 0).dtype, poolDims(ctx));

const maxPool: ShapeRule = (ctx) => {
  const dims = poolDims(ctx);
  return [
    { dtype: required(ctx, 0).dtype, dims },
    { dtype: 'int64', dims },
  ];
};

const globalPool: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  return one(
    dtype,
    dims?.map((d, i) => (i < 2 ? d : 1)),
  );
};

/** `MaxUnpool(X, I, output_shape?)`: `stride·(size − 1) + kernel − pads` without an output shape. */
const maxUnpool: ShapeRule = (ctx) => {
  const x = required(ctx, 0);
  if (!x.dims) return one(x.dtype, undefined);
  if (ctx.inputs[2]) return one(x.dtype, constantInts(ctx, 2) ?? new Array<Dim>(x.dims.length).fill(null));
  const n = x.dims.length - 2;
  const w = readWindow(ctx, n);
  const grow = (size: Dim, i: number): Dim =>
    typeof size === 'number'
      ? w.strides[i]! * (size - 1) + (w.kernel[i] as number) - w.pads![i]! - w.pads![i + n]!
      : null;
  return one(x.dtype, [x.dims[0]!, x.dims[1]!, ...x.dims.slice(2).map(grow)]);
};

/** `MaxRoiPool(X [N, C, H, W], rois [R, 5])`. */
const maxRoiPool: ShapeRule = (ctx) => {
  const x = required(ctx, 0);
  expectRank(ctx, 1, 2);
  return one(x.dtype, [
    required(ctx, 1).dims?.[0] ?? null,
    x.dims?.[1] ?? null,
    ...ctx.attrs.ints('pooled_shape'),
  ]);
};

/** `RoiAlign(X [N, C, H, W], rois [R, 4], batch_indices [R])`. */
const roiAlign: ShapeRule = (ctx) => {
  const x = required(ctx, 0);
  expectRank(ctx, 0, 4);
  expectRank(ctx, 1, 2);
  const rois = required(ctx, 1).dims?.[0] ?? required(ctx, 2).dims?.[0] ?? null;
  return one(x.dtype, [
    rois,
    x.dims?.[1] ?? null,
    ctx.attrs.int('output_height', 1),
    ctx.attrs.int('output_width', 1),
  ]);
};

/** Pooling over windows and regions. */
export const POOL: Readonly<Record<string, ShapeRule>> = {
  AveragePool: pool,
  GlobalAveragePool: globalPool,
  GlobalLpPool: globalPool,
  GlobalMaxPool: globalPool,
  LpPool: pool,
  MaxPool: maxPool,
  MaxRoiPool: maxRoiPool,
  MaxUnpool: maxUnpool,
  RoiAlign: roiAlign,
};
