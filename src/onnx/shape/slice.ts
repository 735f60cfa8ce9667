import type { Dim } from '../model.ts';
import {
  axesIn,
  axisIn,
  constantInts,
  constantNumber,
  contradiction,
  type Dims,
  lengthOf,
  mapDim,
  one,
  required,
  sameDim,
  showDims,
  sumOf,
  unknownDims,
  withDim,
} from './dims.ts';
import { sameAsFirst } from './elementwise.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';

/** One axis of a slice: where it begins, how many elements it takes, and the step between them. */
export interface SliceRange {
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

/**
 * ONNX's clamping of a slice of an axis of `size` elements. `step` is not 0. An end of INT32_MAX or INT64_MAX means "to the
 * end" also backwards, where NumPy would give nothing: so ONNX Runtime, which exporters rely on.
 */
export function sliceRange(size: number, start: number, end: number, step: number): SliceRange {
  const clamp = (v: number, low: number, high: number) => Math.min(Math.max(v, low), high);
  const from = start < 0 ? start + size : start;
  const backwards = step < 0 && (end === 2 ** 31 - 1 || end >= 2 ** 63 - 1);
  const to = backwards ? -1 : end < 0 ? end + size : end;
  const a = step > 0 ? clamp(from, 0, size) : clamp(from, 0, size - 1);
  const b = step > 0 ? clamp(to, 0, size) : clamp(to, -1, size - 1);
  return { start: a, count: Math.max(0, Math.ceil((b - a) / step)), step };
}

/** The four lists of a slice, from attributes (before opset 10) or inputs; an entry is `undefined` when not known. */
export function sliceLists(ctx: ShapeContext, rank: number) {
  if (ctx.opset < 10) {
    const starts = ctx.attrs.ints('starts');
    return {
      starts,
      ends: ctx.attrs.ints('ends'),
      axes: ctx.attrs.ints(
        'axes',
        starts.map((_, i) => i),
      ),
      steps: starts.map(() => 1),
    };
  }
  const starts = constantInts(ctx, 1);
  const ends = constantInts(ctx, 2);
  const n = starts?.length ?? ends?.length ?? lengthOf(ctx.inputs[1]) ?? rank;
  const axes = ctx.inputs[3] ? constantInts(ctx, 3) : Array.from({ length: Math.min(n, rank) }, (_, i) => i);
  return { starts, ends, axes, steps: ctx.inputs[4] ? constantInts(ctx, 4) : axes?.map(() => 1) };
}

const slice: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  if (!dims) return one(dtype, undefined);
  const { starts, ends, axes, steps } = sliceLists(ctx, dims.length);
  if (!axes) return one(dtype, unknownDims(ctx, dims.length));
  const n = axes.length;
  for (const list of [starts, ends, steps])
    if (list && list.length !== n) contradiction(ctx, `${n} starts, ends and steps`, String(list.length));
  const out: Dim[] = [...dims];
  axesIn(ctx, axes, dims.length).forEach((axis, i) => {
    const size = dims[axis]!;
    const [start, end, step] = [starts?.[i], ends?.[i], steps?.[i]];
    if (step === 0) contradiction(ctx, 'steps other than 0', '0');
    if (start === undefined || end === undefined || step === undefined) out[axis] = null;
    else if (typeof size === 'number') out[axis] = sliceRange(size, start, end, step).count;
    else out[axis] = start === 0 && step === 1 && end >= 2 ** 31 - 1 ? size : null;
  });
  return one(dtype, out);
};

/** Sizes of the parts of a `Split`; `undefined` when they depend on data. */
export function splitSizes(ctx: ShapeContext, size: Dim, outputs: number): Dim[] {
  let parts: readonly number[] | undefined;
  if (ctx.opset < 13) parts = ctx.attrs.has('split') ? ctx.attrs.ints('split') : undefined;
  else if (ctx.inputs[1]) {
    parts = constantInts(ctx, 1);
    if (!parts) return unknownDims(ctx, outputs);
  }
  if (parts) {
    if (parts.some((p) => p < 0) || parts.length !== outputs)
      contradiction(ctx, `${outputs} parts of 0 or more`, `[${parts.join(', ')}]`);
    const total = parts.reduce((a, b) => a + b, 0);
    if (typeof size === 'number' && total !== size)
      contradiction(ctx, `parts that add up to ${size}`, String(total));
    return [...parts];
  }
  const n = ctx.attrs.int('num_outputs', outputs);
  if (n < 1 || n !== outputs) contradiction(ctx, `num_outputs = ${outputs}`, String(n));
  if (typeof size !== 'number') return unknownDims(ctx, outputs);
  if (size % n !== 0 && ctx.opset < 18) contradiction(ctx, `a size divisible by ${n}`, String(size));
  const chunk = Math.ceil(size / n);
  const last = size - chunk * (n - 1);
  if (last < 0) contradiction(ctx, `a size that fills ${n} parts of ${chunk}`, String(size));
  return Array.from({ length: n }, (_, i) => (i === n - 1 ? last : chunk));
}

const split: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  const outputs = ctx.node.outputs.length;
  if (!dims) return Array.from({ length: outputs }, () => ({ dtype, dims: undefined }));
  const axis = axisIn(ctx, ctx.attrs.int('axis', 0), dims.length);
  return splitSizes(ctx, dims[axis]!, outputs).map((size) => ({ dtype, dims: withDim(dims, axis, size) }));
};

const concat: ShapeRule = (ctx) => {
  const first = required(ctx, 0);
  const all = ctx.inputs.map((_, i) => required(ctx, i));
  for (const f of all)
    if (f.dtype !== first.dtype) contradiction(ctx, 'inputs of one type', `${first.dtype} and ${f.dtype}`);
  const known = all.flatMap((f) => (f.dims ? [f.dims] : []));
  const rank = known[0]?.length;
  if (rank === undefined) return one(first.dtype, undefined);
  const axis = axisIn(ctx, ctx.attrs.int('axis'), rank);
  let out: Dims = unknownDims(ctx, rank);
  for (const dims of known) {
    if (dims.length !== rank) contradiction(ctx, `inputs of rank ${rank}`, showDims(dims));
    const before = out;
    out = dims.map((d, i) =>
      i === axis
        ? null
        : sameDim(ctx, before[i]!, d, `sizes of axis ${i} (${known.map(showDims).join(', ')})`),
    );
  }
  return one(
    first.dtype,
    withDim(out, axis, known.length === all.length ? sumOf(known.map((d) => d[axis]!)) : null),
  );
};

/** `Pad`: pads (begins, then ends) by attribute before opset 11, then as input 1, with axes as input 3 since 18. */
const pad: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  if (!dims) return one(dtype, undefined);
  const pads = ctx.opset < 11 ? ctx.attrs.ints('pads') : constantInts(ctx, 1);
  const chosen = ctx.inputs[3] ? constantInts(ctx, 3) : dims.map((_, i) => i);
  if (!chosen || !pads) return one(dtype, unknownDims(ctx, dims.length));
  const axes = axesIn(ctx, chosen, dims.length);
  if (pads.length !== 2 * axes.length) contradiction(ctx, `${2 * axes.length} pads`, String(pads.length));
  const out: Dim[] = [...dims];
  axes.forEach((axis, i) => {
    const both = pads[i]! + pads[i + axes.length]!;
    out[axis] = both === 0 ? dims[axis]! : mapDim(dims[axis]!, (s) => s + both);
  });
  return one(dtype, out);
};

const centerCropPad: ShapeRule = (ctx) => {
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
  const target = constantInts(ctx, 1);
  if (target && target.length !== axes.length)
    contradiction(ctx, `${axes.length} sizes`, String(target.length));
  const out: Dim[] = [...dims];
  axes.forEach((axis, i) => {
    out[axis] = target?.[i] ?? null;
  });
  return one(dtype, out);
};

/** `Compress`: how many elements remain depends on the condition. */
const compress: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  const kept = constantInts(ctx, 1);
  const at = ctx.attrs.has('axis') && dims ? axisIn(ctx, ctx.attrs.int('axis'), dims.length) : undefined;
  if (ctx.attrs.has('axis') && !dims) return one(dtype, undefined);
  // A condition longer than the axis is cut off, a shorter one counts as false beyond its end.
  const size =
    dims && at !== undefined
      ? dims[at]!
      : dims?.every((d) => typeof d === 'number')
        ? dims.reduce((a, b) => a * (b as number), 1)
        : null;
  const count = kept && typeof size === 'number' ? kept.slice(0, size).filter((c) => c !== 0).length : null;
  return one(dtype, at === undefined ? [count] : withDim(dims!, at, count));
};

/** `Trilu(x, k?)` and other operators that keep the shape but want a rank. */
const matrixLike: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  if (dims && dims.length < 2) contradiction(ctx, 'rank 2 or more', showDims(dims));
  if (ctx.inputs[1]) constantNumber(ctx, 1);
  return one(dtype, dims);
};

/** Operators that cut, join and pad along axes. */
export const SLICE: Readonly<Record<string, ShapeRule>> = {
  CenterCropPad: centerCropPad,
  Compress: compress,
  Concat: concat,
  Pad: pad,
  ReverseSequence: sameAsFirst,
  Slice: slice,
  Split: split,
  Trilu: matrixLike,
};
