import type { Dim } from '../model.ts';
import {
  axesIn,
  axisIn,
  broadcast,
  constantInts,
  contradiction,
  type Dims,
  lengthOf,
  listedSizes,
  mapDim,
  one,
  productOf,
  required,
  showDims,
  unknownDims,
} from './dims.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';

/** Number of elements as a number times symbols; `undefined` when an axis is wholly unknown. */
function factorsOf(dims: Dims): { count: number; symbols: string[] } | undefined {
  let count = 1;
  const symbols: string[] = [];
  for (const d of dims) {
    if (d === null) return undefined;
    if (typeof d === 'number') count *= d;
    else symbols.push(d);
  }
  return { count, symbols };
}

/** The size that `-1` stands for: `∏from / ∏known`, with equal symbols cancelled. */
function remaining(ctx: ShapeContext, from: Dims, known: Dims): Dim {
  const [a, b] = [factorsOf(from), factorsOf(known)];
  if (!a || !b) return null;
  for (const s of b.symbols) {
    const at = a.symbols.indexOf(s);
    if (at < 0) return null;
    a.symbols.splice(at, 1);
  }
  if (b.count === 0)
    return a.symbols.length === 0 && a.count !== 0
      ? contradiction(ctx, 'a size for -1', 'other sizes of 0')
      : null;
  const quotient = a.count / b.count;
  if (a.symbols.length === 0) {
    return Number.isInteger(quotient)
      ? quotient
      : contradiction(ctx, `${showDims(from)} to fill rows of ${showDims(known)}`, 'a rest');
  }
  return a.symbols.length === 1 && quotient === 1 ? a.symbols[0]! : null;
}

/** `Reshape`: `-1` takes what is left, `0` copies the input's size unless `allowzero`. */
const reshape: ShapeRule = (ctx) => {
  const x = required(ctx, 0);
  const target = listedSizes(ctx, 1);
  if (!target) {
    const rank = lengthOf(required(ctx, 1));
    return one(x.dtype, rank === undefined ? undefined : unknownDims(ctx, rank));
  }
  if (target.some((t) => typeof t === 'number' && t < -1) || target.filter((t) => t === -1).length > 1) {
    contradiction(ctx, 'a shape with at most one -1', showDims(target));
  }
  const allowZero = ctx.attrs.int('allowzero', 0) !== 0;
  const dims = target.map((t, i): Dim => {
    if (t !== 0 || allowZero) return t;
    if (!x.dims) return null;
    return i < x.dims.length ? x.dims[i]! : contradiction(ctx, `an axis ${i} to copy`, showDims(x.dims));
  });
  const open = dims.indexOf(-1);
  if (open >= 0) {
    const known = dims.filter((_, i) => i !== open);
    dims[open] = x.dims ? remaining(ctx, x.dims, known) : null;
  } else if (x.dims) {
    const [a, b] = [productOf(x.dims), productOf(dims)];
    if (typeof a === 'number' && typeof b === 'number' && a !== b) {
      contradiction(ctx, `a shape of ${a} elements as ${showDims(x.dims)}`, showDims(dims));
    }
  }
  return one(x.dtype, dims);
};

const flatten: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  if (!dims) return one(dtype, [null, null]);
  const axis = ctx.attrs.int('axis', 1);
  // axis = rank is allowed: everything goes into the first axis.
  const at = axis === dims.length ? axis : axisIn(ctx, axis, dims.length);
  return one(dtype, [productOf(dims.slice(0, at)), productOf(dims.slice(at))]);
};

/** The axes from the attribute (before opset 13) or from input 1: `null` when an input is there but not known. */
function axesOf(ctx: ShapeContext): readonly number[] | undefined | null {
  if (ctx.opset < 13) return ctx.attrs.has('axes') ? ctx.attrs.ints('axes') : undefined;
  return ctx.inputs[1] ? (constantInts(ctx, 1) ?? null) : undefined;
}

const squeeze: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  const axes = axesOf(ctx);
  if (!dims) return one(dtype, undefined);
  if (axes === null) {
    const n = lengthOf(ctx.inputs[1]);
    return one(dtype, n === undefined ? undefined : unknownDims(ctx, dims.length - n));
  }
  if (axes === undefined) {
    return one(dtype, dims.every((d) => typeof d === 'number') ? dims.filter((d) => d !== 1) : undefined);
  }
  const drop = new Set(axesIn(ctx, axes, dims.length));
  for (const a of drop) {
    const d = dims[a];
    if (typeof d === 'number' && d !== 1) contradiction(ctx, `axis ${a} of size 1`, showDims(dims));
  }
  return one(
    dtype,
    dims.filter((_, i) => !drop.has(i)),
  );
};

const unsqueeze: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  const axes = axesOf(ctx);
  if (axes === undefined) contradiction(ctx, 'axes', 'none');
  if (!dims) return one(dtype, undefined);
  if (axes === null) {
    const n = lengthOf(ctx.inputs[1]);
    return one(dtype, n === undefined ? undefined : unknownDims(ctx, dims.length + n));
  }
  const rank = dims.length + axes.length;
  const fresh = new Set(axesIn(ctx, axes, rank));
  let next = 0;
  return one(
    dtype,
    Array.from({ length: rank }, (_, i) => (fresh.has(i) ? 1 : dims[next++]!)),
  );
};

const transpose: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  if (!dims) return one(dtype, undefined);
  const perm = ctx.attrs.has('perm') ? ctx.attrs.ints('perm') : dims.map((_, i) => dims.length - 1 - i);
  if (perm.length !== dims.length)
    contradiction(ctx, `a permutation of ${dims.length} axes`, `[${perm.join(', ')}]`);
  return one(
    dtype,
    axesIn(ctx, perm, dims.length).map((a) => dims[a]!),
  );
};

const expand: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  const target = listedSizes(ctx, 1);
  if (!target) {
    const n = lengthOf(required(ctx, 1));
    return one(dtype, n === undefined || !dims ? undefined : unknownDims(ctx, Math.max(n, dims.length)));
  }
  if (target.some((t) => typeof t === 'number' && t < 0))
    contradiction(ctx, 'sizes of 0 or more', showDims(target));
  return one(dtype, broadcast(ctx, [dims, target]));
};

const tile: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  const repeats = constantInts(ctx, 1);
  if (!dims) return one(dtype, repeats ? unknownDims(ctx, repeats.length) : undefined);
  if (!repeats) return one(dtype, unknownDims(ctx, dims.length));
  if (repeats.length !== dims.length || repeats.some((r) => r < 0)) {
    contradiction(ctx, `${dims.length} repeats of 0 or more`, `[${repeats.join(', ')}]`);
  }
  return one(
    dtype,
    dims.map((d, i) => (repeats[i] === 1 ? d : repeats[i] === 0 ? 0 : mapDim(d, (s) => s * repeats[i]!))),
  );
};

/** Moves blocks between channels and space: `[N, C, H, W]`, `up` = from channels to space. */
const blocks =
  (up: boolean): ShapeRule =>
  (ctx) => {
    const { dtype, dims } = required(ctx, 0);
    const b = ctx.attrs.int('blocksize');
    if (b < 1) contradiction(ctx, 'blocksize of at least 1', String(b));
    if (!dims) return one(dtype, [null, null, null, null]);
    if (dims.length !== 4) contradiction(ctx, '[N, C, H, W]', showDims(dims));
    const split = (d: Dim, by: number) =>
      mapDim(d, (s) =>
        s % by === 0 ? s / by : contradiction(ctx, `a size divisible by ${by}`, showDims(dims)),
      );
    const [n, c, h, w] = dims as [Dim, Dim, Dim, Dim];
    const grow = (d: Dim, by: number) => mapDim(d, (s) => s * by);
    return one(
      dtype,
      up ? [n, split(c, b * b), grow(h, b), grow(w, b)] : [n, grow(c, b * b), split(h, b), split(w, b)],
    );
  };

/** Operators that move elements without changing them. */
export const RESHAPE: Readonly<Record<string, ShapeRule>> = {
  DepthToSpace: blocks(true),
  Expand: expand,
  Flatten: flatten,
  Reshape: reshape,
  SpaceToDepth: blocks(false),
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
