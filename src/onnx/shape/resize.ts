import type { Dim } from '../model.ts';
import { numbersOf } from '../tensor.ts';
import {
  axesIn,
  constantInts,
  contradiction,
  type Dims,
  expectRank,
  mapDim,
  one,
  required,
  showDims,
  unknownDims,
} from './dims.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';

/** The floats of a constant input; `undefined` when it is absent, empty or not known (an empty list means "not given"). */
function factors(ctx: ShapeContext, index: number): number[] | undefined {
  const data = ctx.inputs[index]?.data;
  if (!data || data.external || data.dims.includes(0)) return undefined;
  const values =
    data.dims.length === 1 && data.dims[0]! <= 1024
      ? Array.from(numbersOf(data))
      : contradiction(ctx, `input ${index} to be a short list`, showDims(data.dims));
  return values.every((v) => v > 0) ? values : contradiction(ctx, 'scales above 0', `[${values.join(', ')}]`);
}

/** `⌊size · scale⌋`, multiplied in float32 as ONNX Runtime does. */
const scaled = (d: Dim, scale: number): Dim =>
  scale === 1 ? d : mapDim(d, (s) => Math.floor(Math.fround(Math.fround(scale) * s)));

function scaledDims(
  ctx: ShapeContext,
  dims: Dims,
  axes: readonly number[],
  scales: readonly number[],
): Dim[] {
  if (scales.length !== axes.length) contradiction(ctx, `${axes.length} scales`, String(scales.length));
  const out = [...dims];
  axes.forEach((axis, i) => {
    out[axis] = scaled(dims[axis]!, scales[i]!);
  });
  return out;
}

/** Sizes under `keep_aspect_ratio_policy`: one scale, the least or the greatest of `size / input`, for all axes. */
function keptRatio(
  ctx: ShapeContext,
  dims: Dims,
  axes: readonly number[],
  sizes: readonly number[],
  policy: string,
): Dim[] {
  const known = axes.map((a) => dims[a]!);
  if (!known.every((d) => typeof d === 'number')) return unknownDims(ctx, sizes.length);
  const ratios = sizes.map((s, i) => s / (known[i] as number));
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return known.map((d) => Math.floor(scale * (d as number) + 0.5));
}

/** `Resize(X, scales)` in opset 10; `(X, roi, scales, sizes)` since 11; axes and keep_aspect_ratio_policy since 18. */
const resize: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  if (!dims) return one(dtype, undefined);
  const axes = axesIn(
    ctx,
    ctx.attrs.ints(
      'axes',
      dims.map((_, i) => i),
    ),
    dims.length,
  );
  const sizes = ctx.opset >= 11 ? constantInts(ctx, 3) : undefined;
  if (sizes && sizes.length > 0) {
    if (sizes.length !== axes.length || sizes.some((s) => s < 1))
      contradiction(ctx, `${axes.length} sizes of 1 or more`, `[${sizes.join(', ')}]`);
    const policy = ctx.attrs.string('keep_aspect_ratio_policy', 'stretch');
    const chosen: Dims = policy === 'stretch' ? sizes : keptRatio(ctx, dims, axes, sizes, policy);
    const out = [...dims];
    axes.forEach((axis, i) => {
      out[axis] = chosen[i]!;
    });
    return one(dtype, out);
  }
  const scales = factors(ctx, ctx.opset >= 11 ? 2 : 1);
  if (scales) return one(dtype, scaledDims(ctx, dims, axes, scales));
  return one(
    dtype,
    dims.map((d, i) => (axes.includes(i) ? null : d)),
  );
};

/** `Upsample`: scales as attribute in opset 7, as input since 9. */
const upsample: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  const scales = ctx.opset < 9 ? ctx.attrs.floats('scales') : factors(ctx, 1);
  if (!dims) return one(dtype, undefined);
  if (!scales) return one(dtype, unknownDims(ctx, dims.length));
  if (!scales.every((s) => s > 0)) contradiction(ctx, 'scales above 0', `[${scales.join(', ')}]`);
  return one(
    dtype,
    scaledDims(
      ctx,
      dims,
      dims.map((_, i) => i),
      scales,
    ),
  );
};

/** `GridSample(X [N, C, …], grid [N, …sizes, axes])` gives `[N, C, …sizes]`. */
export const gridSample: ShapeRule = (ctx) => {
  const [x, grid] = [required(ctx, 0), required(ctx, 1)];
  if (x.dims && grid.dims && x.dims.length !== grid.dims.length) {
    contradiction(ctx, 'X and grid of one rank', `${showDims(x.dims)} and ${showDims(grid.dims)}`);
  }
  if (!grid.dims || grid.dims.length < 2) return one(x.dtype, undefined);
  return one(x.dtype, [x.dims?.[0] ?? grid.dims[0]!, x.dims?.[1] ?? null, ...grid.dims.slice(1, -1)]);
};

/** `AffineGrid(theta [N, 2, 3], size [N, C, H, W])` gives `[N, H, W, 2]`, with one more axis in 3-D. */
const affineGrid: ShapeRule = (ctx) => {
  const theta = required(ctx, 0);
  expectRank(ctx, 0, 3);
  const size = constantInts(ctx, 1);
  if (!size) {
    const axes = theta.dims?.[1];
    return one(
      theta.dtype,
      typeof axes === 'number' ? [theta.dims![0]!, ...unknownDims(ctx, axes), axes] : undefined,
    );
  }
  if (size.length !== 4 && size.length !== 5)
    contradiction(ctx, 'a size of 4 or 5 axes', String(size.length));
  return one(theta.dtype, [size[0]!, ...size.slice(2), size.length - 2]);
};

/** Resampling. */
export const RESIZE: Readonly<Record<string, ShapeRule>> = {
  AffineGrid: affineGrid,
  GridSample: gridSample,
  Resize: resize,
  Upsample: upsample,
};
