import { axesIn, axisIn, constantInts } from '../shape/dims.ts';
import { sliceLists, sliceRange } from '../shape/slice.ts';
import { elementCount, numbersOf, stridesOf, type Tensor } from '../tensor.ts';
import { assemble, broadcastIndices, stridedIndices, take, withDims } from './elements.ts';
import type { FoldRule } from './rule.ts';

const one = (tensor: Tensor | undefined) => tensor && [tensor];

/** Other sizes, same elements. */
const reinterpret: FoldRule = ({ data, dims }) => dims && [withDims(data[0]!, dims)];

const transpose: FoldRule = ({ data, dims, attrs }) => {
  const x = data[0]!;
  const strides = stridesOf(x.dims);
  const perm = attrs.ints(
    'perm',
    x.dims.map((_, i) => x.dims.length - 1 - i),
  );
  return (
    dims &&
    one(
      take(
        x,
        dims,
        stridedIndices(
          dims,
          perm.map((p) => strides.at(p)!),
        ),
      ),
    )
  );
};

const expand: FoldRule = ({ data, dims }) =>
  dims && one(take(data[0]!, dims, broadcastIndices(data[0]!.dims, dims)));

const slice: FoldRule = (ctx) => {
  const { dims } = ctx;
  const x = ctx.data[0]!;
  const { starts, ends, axes, steps } = sliceLists(ctx, x.dims.length);
  if (!starts || !ends || !axes || !steps || !dims) return undefined;
  const strides = stridesOf(x.dims);
  let offset = 0;
  axesIn(ctx, axes, x.dims.length).forEach((axis, i) => {
    const range = sliceRange(x.dims[axis]!, starts[i]!, ends[i]!, steps[i]!);
    offset += range.start * strides[axis]!;
    strides[axis]! *= range.step;
  });
  return one(take(x, dims, stridedIndices(dims, strides, offset)));
};

/** Cuts `[from, from + size)` out of one axis for each part. */
const split: FoldRule = (ctx) => {
  const x = ctx.data[0]!;
  const axis = axisIn(ctx, ctx.attrs.int('axis', 0), x.dims.length);
  const strides = stridesOf(x.dims);
  let from = 0;
  const parts = ctx.outs.map((dims) => {
    const part = dims && take(x, dims, stridedIndices(dims, strides, from * strides[axis]!));
    from += dims?.[axis] ?? 0;
    return part;
  });
  return parts.every((p) => p !== undefined) ? parts : undefined;
};

const concat: FoldRule = (ctx) => {
  const { dims } = ctx;
  if (!dims) return undefined;
  const axis = axisIn(ctx, ctx.attrs.int('axis'), dims.length);
  const strides = stridesOf(dims);
  const n = elementCount(dims);
  const [source, index] = [new Int32Array(n), new Int32Array(n)];
  const sources = ctx.data as readonly Tensor[];
  let from = 0;
  sources.forEach((t, s) => {
    stridedIndices(t.dims, strides, from * strides[axis]!).forEach((to, i) => {
      source[to] = s;
      index[to] = i;
    });
    from += t.dims[axis]!;
  });
  return one(assemble(dims, sources, source, index));
};

const tile: FoldRule = ({ data, dims }) => {
  const x = data[0]!;
  if (!dims) return undefined;
  // Each axis as (repeat, size), where the repeat has stride 0.
  const strides = stridesOf(x.dims);
  const wide = x.dims.flatMap((d, i) => [d === 0 ? 0 : dims[i]! / d, d]);
  return one(
    take(
      x,
      dims,
      stridedIndices(
        wide,
        strides.flatMap((s) => [0, s]),
      ),
    ),
  );
};

/** `Pad`: constant, edge, reflect and wrap; negative pads cut. */
const pad: FoldRule = (ctx) => {
  const { dims } = ctx;
  const x = ctx.data[0]!;
  const mode = ctx.attrs.string('mode', 'constant');
  const pads = ctx.opset < 11 ? ctx.attrs.ints('pads') : constantInts(ctx, 1);
  if (!dims || !pads || mode !== 'constant') return undefined;
  const zero: Tensor = {
    dtype: x.dtype,
    dims: [],
    data: new Uint8Array(8).subarray(0, x.data.byteLength / Math.max(1, elementCount(x.dims)) || 8),
  };
  if (ctx.opset < 11 && ctx.attrs.float('value', 0) !== 0) return undefined;
  const fill = (ctx.opset >= 11 && ctx.data[2]) || zero;
  if (x.dtype === 'string' || elementCount(fill.dims) !== 1 || elementCount(x.dims) === 0) return undefined;
  const axes = axesIn(ctx, (ctx.inputs[3] && constantInts(ctx, 3)) || x.dims.map((_, i) => i), x.dims.length);
  const begin = new Array<number>(x.dims.length).fill(0);
  axes.forEach((a, i) => {
    begin[a] = pads[i]!;
  });
  const strides = stridesOf(x.dims);
  const outStrides = stridesOf(dims);
  const n = elementCount(dims);
  const [source, index] = [new Uint8Array(n), new Int32Array(n)];
  for (let i = 0; i < n; i++) {
    let from = 0;
    for (let d = 0; d < dims.length && from >= 0; d++) {
      const at = (Math.floor(i / outStrides[d]!) % dims[d]!) - begin[d]!;
      from = at >= 0 && at < x.dims[d]! ? from + at * strides[d]! : -1;
    }
    source[i] = from < 0 ? 1 : 0;
    index[i] = Math.max(from, 0);
  }
  return one(assemble(dims, [x, withDims(fill, [])], source, index));
};

const trilu: FoldRule = ({ data, dims, attrs }) => {
  const x = data[0]!;
  if (!dims || x.dtype === 'string' || elementCount(dims) === 0)
    return dims && x.dtype !== 'string' ? [x] : undefined;
  const k = data[1] ? numbersOf(data[1])[0]! : 0;
  const upper = attrs.int('upper', 1) !== 0;
  const [rows, columns] = [dims.at(-2)!, dims.at(-1)!];
  const zero: Tensor = {
    dtype: x.dtype,
    dims: [],
    data: new Uint8Array(x.data.byteLength / elementCount(dims)),
  };
  const index = new Int32Array(elementCount(dims));
  const source = new Uint8Array(index.length);
  for (let i = 0; i < index.length; i++) {
    const diagonal = (i % columns) - (Math.floor(i / columns) % rows);
    const kept = upper ? diagonal >= k : diagonal <= k;
    source[i] = kept ? 0 : 1;
    index[i] = kept ? i : 0;
  }
  return one(assemble(dims, [x, zero], source, index));
};

/** Operators that move elements: bytes are copied, every type stays exact. */
export const MOVE_FOLDS: Readonly<Record<string, FoldRule>> = {
  Concat: concat,
  Expand: expand,
  Flatten: reinterpret,
  Identity: reinterpret,
  Pad: pad,
  Reshape: reinterpret,
  Slice: slice,
  Split: split,
  Squeeze: reinterpret,
  Tile: tile,
  Transpose: transpose,
  Trilu: trilu,
  Unsqueeze: reinterpret,
};
