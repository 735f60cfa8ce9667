import { axisIn, contradiction } from '../shape/dims.ts';
import { elementCount, numbersOf, stridesOf, type Tensor } from '../tensor.ts';
import { assemble, integerTensor, stridedIndices, take } from './elements.ts';
import type { FoldContext, FoldRule } from './rule.ts';

const one = (tensor: Tensor | undefined) => tensor && [tensor];

/** `NonZero`: positions in row-major order, `[rank, count]`. */
const nonZero: FoldRule = ({ data }) => {
  const x = data[0]!;
  if (x.dtype === 'string' || (/4|8/.test(x.dtype) && x.dtype.startsWith('float8'))) return undefined;
  const values = numbersOf(x);
  const dims = x.dims.length === 0 ? [1] : x.dims;
  const strides = stridesOf(dims);
  const hits: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) hits.push(i);
  const positions = dims.flatMap((d, axis) => hits.map((i) => BigInt(Math.floor(i / strides[axis]!) % d)));
  return [integerTensor('int64', [dims.length, hits.length], positions)];
};

/** Checks an index and counts it from the front. Errors: `model/invalid` outside `[-size, size)`. */
function inAxis(ctx: FoldContext, i: number, size: number): number {
  if (i < -size || i >= size) contradiction(ctx, `indices within [${-size}, ${size})`, String(i));
  return i < 0 ? i + size : i;
}

const gather: FoldRule = (ctx) => {
  const { dims } = ctx;
  const [x, indices] = [ctx.data[0]!, ctx.data[1]!];
  if (!dims) return undefined;
  const axis = axisIn(ctx, ctx.attrs.int('axis', 0), x.dims.length);
  const rows = Array.from(numbersOf(indices), (i) => inAxis(ctx, i, x.dims[axis]!));
  const inner = elementCount(x.dims.slice(axis + 1));
  const index = new Int32Array(elementCount(dims));
  for (let i = 0; i < index.length; i++) {
    const row = Math.floor(i / inner) % rows.length;
    const outer = Math.floor(i / inner / rows.length);
    index[i] = (outer * x.dims[axis]! + rows[row]!) * inner + (i % inner);
  }
  return one(take(x, dims, index));
};

/** For each index, row-major: where it points when it replaces the position on `axis`. */
function alongAxis(ctx: FoldContext, x: Tensor, indices: Tensor): Int32Array {
  const axis = axisIn(ctx, ctx.attrs.int('axis', 0), x.dims.length);
  const strides = stridesOf(x.dims);
  if (indices.dims.some((d, i) => i !== axis && d > x.dims[i]!)) {
    contradiction(ctx, `indices no larger than [${x.dims.join(', ')}]`, `[${indices.dims.join(', ')}]`);
  }
  const base = stridedIndices(
    indices.dims,
    strides.map((s, i) => (i === axis ? 0 : s)),
  );
  const values = numbersOf(indices);
  return base.map((b, i) => b + inAxis(ctx, values[i]!, x.dims[axis]!) * strides[axis]!);
}

/** For each entry of the last axis of `indices`: where the block of `rest` elements begins that it points to. */
function blockStarts(
  ctx: FoldContext,
  x: Tensor,
  indices: Tensor,
  batch: number,
): { starts: number[]; rest: number } {
  const depth = indices.dims.at(-1)!;
  const strides = stridesOf(x.dims);
  const values = numbersOf(indices);
  const blocks = elementCount(indices.dims.slice(0, -1));
  const perBatch = blocks / Math.max(1, elementCount(indices.dims.slice(0, batch)));
  const size = elementCount(x.dims.slice(batch));
  const starts = Array.from({ length: blocks }, (_, b) => {
    let at = Math.floor(b / perBatch) * size;
    for (let d = 0; d < depth; d++)
      at += inAxis(ctx, values[b * depth + d]!, x.dims[batch + d]!) * strides[batch + d]!;
    return at;
  });
  return { starts, rest: elementCount(x.dims.slice(batch + depth)) };
}

const gatherNd: FoldRule = (ctx) => {
  const { dims } = ctx;
  const [x, indices] = [ctx.data[0]!, ctx.data[1]!];
  if (!dims) return undefined;
  const { starts, rest } = blockStarts(ctx, x, indices, ctx.attrs.int('batch_dims', 0));
  return one(
    take(
      x,
      dims,
      Int32Array.from({ length: elementCount(dims) }, (_, i) => starts[Math.floor(i / rest)]! + (i % rest)),
    ),
  );
};

/** Writes `updates` over `x`; later ones win. Reductions are left to the runtime. */
function overwrite(x: Tensor, updates: Tensor, targets: ArrayLike<number>): Tensor | undefined {
  const n = elementCount(x.dims);
  const source = new Uint8Array(n);
  const index = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < targets.length; i++) {
    source[targets[i]!] = 1;
    index[targets[i]!] = i;
  }
  return assemble(x.dims, [x, updates], source, index);
}

const scatterElements: FoldRule = (ctx) => {
  const [x, indices, updates] = [ctx.data[0]!, ctx.data[1]!, ctx.data[2]!];
  if (
    ctx.attrs.string('reduction', 'none') !== 'none' ||
    elementCount(updates.dims) !== elementCount(indices.dims)
  )
    return undefined;
  return one(overwrite(x, updates, alongAxis(ctx, x, indices)));
};

const scatterNd: FoldRule = (ctx) => {
  const [x, indices, updates] = [ctx.data[0]!, ctx.data[1]!, ctx.data[2]!];
  if (ctx.attrs.string('reduction', 'none') !== 'none') return undefined;
  const { starts, rest } = blockStarts(ctx, x, indices, 0);
  if (elementCount(updates.dims) !== starts.length * rest)
    contradiction(ctx, `${starts.length * rest} updates`, String(elementCount(updates.dims)));
  return one(
    overwrite(
      x,
      updates,
      Int32Array.from({ length: starts.length * rest }, (_, i) => starts[Math.floor(i / rest)]! + (i % rest)),
    ),
  );
};

const compress: FoldRule = (ctx) => {
  const { dims } = ctx;
  const x = ctx.data[0]!;
  if (!dims) return undefined;
  const axis = ctx.attrs.has('axis') ? axisIn(ctx, ctx.attrs.int('axis'), x.dims.length) : undefined;
  const flat = axis === undefined ? [elementCount(x.dims)] : x.dims;
  const at = axis ?? 0;
  const kept = Array.from(numbersOf(ctx.data[1]!)).flatMap((c, i) => (c && i < flat[at]! ? [i] : []));
  const inner = elementCount(flat.slice(at + 1));
  const index = Int32Array.from({ length: elementCount(dims) }, (_, i) => {
    const row = Math.floor(i / inner);
    return (Math.floor(row / kept.length) * flat[at]! + kept[row % kept.length]!) * inner + (i % inner);
  });
  return one(take(x, dims, index));
};

/** Operators that pick elements by index, and that write them there. */
export const GATHER_SCATTER_FOLDS: Readonly<Record<string, FoldRule>> = {
  Compress: compress,
  Gather: gather,
  GatherElements: (ctx) =>
    one(take(ctx.data[0]!, ctx.data[1]!.dims, alongAxis(ctx, ctx.data[0]!, ctx.data[1]!))),
  GatherND: gatherNd,
  NonZero: nonZero,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
};
