import type { Dim } from '../model.ts';
import {
  constantInts,
  contradiction,
  type Dims,
  lengthOf,
  mapDim,
  one,
  productOf,
  required,
  sameDim,
  showDims,
  unknownDims,
} from './dims.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';
import { readWindow, slide } from './window.ts';

/** Output shape of a convolution of X `[N, C, …]` with W `[M, C/group, …]`. */
export function convDims(ctx: ShapeContext, x: Dims | undefined, w: Dims | undefined): Dims | undefined {
  const rank = x?.length ?? w?.length;
  if (rank === undefined) return undefined;
  if (rank < 3 || (x && w && x.length !== w.length)) {
    contradiction(ctx, 'X and W of one rank, 3 or more', `${showDims(x)} and ${showDims(w)}`);
  }
  const window = readWindow(
    ctx,
    rank - 2,
    w?.slice(2) ?? (ctx.attrs.has('kernel_shape') ? undefined : new Array<Dim>(rank - 2).fill(null)),
  );
  const group = groupOf(ctx);
  if (x && w) {
    sameDim(
      ctx,
      x[1]!,
      mapDim(w[1]!, (c) => c * group),
      `channels (X ${showDims(x)}, W ${showDims(w)}, group ${group})`,
    );
    if (typeof w[0] === 'number' && w[0] % group !== 0)
      contradiction(ctx, `output channels divisible by group ${group}`, String(w[0]));
  }
  return [
    x?.[0] ?? null,
    w?.[0] ?? null,
    ...slide(ctx, x?.slice(2) ?? new Array<Dim>(rank - 2).fill(null), window),
  ];
}

/** The `group` attribute. */
function groupOf(ctx: ShapeContext): number {
  const group = ctx.attrs.int('group', 1);
  return group >= 1 ? group : contradiction(ctx, 'group of at least 1', String(group));
}

const conv: ShapeRule = (ctx) => {
  const [x, w] = [required(ctx, 0), required(ctx, 1)];
  return one(x.dtype, convDims(ctx, x.dims, w.dims));
};

const convInteger: ShapeRule = (ctx) =>
  one('int32', convDims(ctx, required(ctx, 0).dims, required(ctx, 1).dims));

/** `QLinearConv(x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, B)`. */
const qlinearConv: ShapeRule = (ctx) =>
  one(required(ctx, 7).dtype, convDims(ctx, required(ctx, 0).dims, required(ctx, 3).dims));

/** `DeformConv(X, W, offset, B, mask)`. */
const deformConv: ShapeRule = conv;

/** `ConvTranspose` of X `[N, C, …]` with W `[C, M/group, …]`. */
const convTranspose: ShapeRule = (ctx) => {
  const [x, w] = [required(ctx, 0), required(ctx, 1)];
  return one(x.dtype, transposedDims(ctx, x.dims, w.dims));
};

function transposedDims(ctx: ShapeContext, x: Dims | undefined, w: Dims | undefined): Dims | undefined {
  if (!x || !w) return undefined;
  if (x.length < 3 || x.length !== w.length)
    contradiction(ctx, 'X and W of one rank, 3 or more', `${showDims(x)} and ${showDims(w)}`);
  sameDim(ctx, x[1]!, w[0]!, `channels (X ${showDims(x)}, W ${showDims(w)})`);
  const spatial = x.length - 2;
  const { attrs } = ctx;
  const window = readWindow(ctx, spatial, w.slice(2));
  const group = groupOf(ctx);
  const extra = attrs.ints('output_padding', new Array<number>(spatial).fill(0));
  const fixed = attrs.has('output_shape') ? attrs.ints('output_shape').slice(-spatial) : undefined;
  if (extra.length !== spatial || (fixed && fixed.length !== spatial))
    contradiction(ctx, `one entry a spatial axis (${spatial})`, 'another number');
  const sizes = x.slice(2).map((size, i): Dim => {
    if (fixed) return fixed[i]!;
    const stride = window.strides[i]!;
    const k = window.kernel[i]!;
    if (typeof k !== 'number') return null;
    const pads = (window.pads?.[i] ?? 0) + (window.pads?.[i + spatial] ?? 0);
    const same = window.autoPad === 'SAME_UPPER' || window.autoPad === 'SAME_LOWER';
    return mapDim(size, (s) => {
      const natural = stride * (s - 1) + extra[i]! + window.dilations[i]! * (k - 1) + 1 - pads;
      // ONNX pads down to size · stride; ONNX Runtime never up to it, where the stride exceeds the kernel.
      return same ? Math.min(natural, s * stride) : natural;
    });
  });
  return [x[0]!, mapDim(w[1]!, (m) => m * group), ...sizes];
}

/** `Col2Im(input [N, C·∏block, L], image_shape, block_shape)` gives `[N, C, …image_shape]`. */
const col2im: ShapeRule = (ctx) => {
  const x = required(ctx, 0);
  const image = constantInts(ctx, 1);
  const block = constantInts(ctx, 2);
  const count = image?.length ?? lengthOf(ctx.inputs[1]);
  if (count === undefined) return one(x.dtype, undefined);
  const size = block ? productOf(block) : null;
  const channels =
    typeof size === 'number' && size > 0 && x.dims?.length === 3 ? mapDim(x.dims[1]!, (c) => c / size) : null;
  return one(x.dtype, [x.dims?.[0] ?? null, channels, ...(image ?? unknownDims(ctx, count))]);
};

/** Convolutions. */
export const CONV: Readonly<Record<string, ShapeRule>> = {
  Col2Im: col2im,
  Conv: conv,
  ConvInteger: convInteger,
  ConvTranspose: convTranspose,
  DeformConv: deformConv,
  QLinearConv: qlinearConv,
};
