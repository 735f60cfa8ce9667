import type { DType } from '../dtype.ts';
import type { Dim } from '../model.ts';
import {
  constantNumber,
  contradiction,
  type Dims,
  lengthOf,
  listedSizes,
  one,
  required,
  showDims,
  unknownDims,
} from './dims.ts';
import { dtypeAttribute } from './elementwise.ts';
import type { Facts, ShapeContext, ShapeRule } from './rule.ts';

const constant: ShapeRule = (ctx) => {
  const { attrs } = ctx;
  if (attrs.has('value')) {
    const value = attrs.tensor('value');
    return one(value.dtype, value.dims);
  }
  if (attrs.has('value_int')) return one('int64', []);
  if (attrs.has('value_float')) return one('float32', []);
  if (attrs.has('value_string')) return one('string', []);
  if (attrs.has('value_ints')) return one('int64', [attrs.ints('value_ints').length]);
  if (attrs.has('value_floats')) return one('float32', [attrs.floats('value_floats').length]);
  if (attrs.has('value_strings')) return one('string', [attrs.strings('value_strings').length]);
  return contradiction(
    ctx,
    'one of the attributes value, value_int, value_float, …',
    'none (sparse values are not supported)',
  );
};

const constantOfShape: ShapeRule = (ctx) => {
  const dtype: DType = ctx.attrs.has('value') ? ctx.attrs.tensor('value').dtype : 'float32';
  const shape = listedSizes(ctx, 0);
  const n = lengthOf(required(ctx, 0));
  if (!shape) return one(dtype, n === undefined ? undefined : unknownDims(ctx, n));
  if (shape.some((d) => typeof d === 'number' && d < 0))
    contradiction(ctx, 'sizes of 0 or more', showDims(shape));
  return one(dtype, shape);
};

/** The bounds of `Shape`'s start and end within a rank. */
export function shapeBounds(start: number, end: number | undefined, rank: number): [number, number] {
  const clamp = (v: number) => Math.min(Math.max(v < 0 ? v + rank : v, 0), rank);
  const from = clamp(start);
  return [from, Math.max(from, clamp(end ?? rank))];
}

const shape: ShapeRule = (ctx) => {
  const { dims } = required(ctx, 0);
  if (!dims) return one('int64', [null]);
  const [from, to] = shapeBounds(
    ctx.attrs.int('start', 0),
    ctx.attrs.has('end') ? ctx.attrs.int('end') : undefined,
    dims.length,
  );
  return one('int64', [to - from]);
};

const size: ShapeRule = (ctx) => {
  required(ctx, 0);
  return one('int64', []);
};

/** `Range(start, limit, delta)`: `max(⌈(limit − start) / delta⌉, 0)` elements. */
const range: ShapeRule = (ctx) => {
  const { dtype } = required(ctx, 0);
  const [start, limit, delta] = [constantNumber(ctx, 0), constantNumber(ctx, 1), constantNumber(ctx, 2)];
  if (delta === 0) contradiction(ctx, 'a delta other than 0', '0');
  if (start === 0 && limit === undefined && delta === 1)
    return one(dtype, [ctx.inputs[1]?.elements?.[0] ?? null]);
  if (start === undefined || limit === undefined || delta === undefined) return one(dtype, [null]);
  return one(dtype, [Math.max(Math.ceil((limit - start) / delta), 0)]);
};

const eyeLike: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  if (dims && dims.length !== 2) contradiction(ctx, 'a matrix', showDims(dims));
  return one(dtypeAttribute(ctx, 'dtype', dtype), dims ?? [null, null]);
};

/** Hann, Hamming and Blackman windows of `size` samples. */
const window: ShapeRule = (ctx) => {
  const n = constantNumber(ctx, 0);
  if (n !== undefined && n < 0) contradiction(ctx, 'a size of 0 or more', String(n));
  return one(dtypeAttribute(ctx, 'output_datatype', 'float32'), [n ?? null]);
};

/** `MelWeightMatrix`: `[⌊dft_length / 2⌋ + 1, num_mel_bins]`. */
const melWeights: ShapeRule = (ctx) => {
  const [bins, dft] = [constantNumber(ctx, 0), constantNumber(ctx, 1)];
  return one(dtypeAttribute(ctx, 'output_datatype', 'float32'), [
    dft === undefined ? null : Math.floor(dft / 2) + 1,
    bins ?? null,
  ]);
};

function shapeAttribute(ctx: ShapeContext): Dims {
  const dims = ctx.attrs.ints('shape');
  return dims.some((d) => d < 0) ? contradiction(ctx, 'sizes of 0 or more', showDims(dims)) : dims;
}

const random: ShapeRule = (ctx) => one(dtypeAttribute(ctx, 'dtype', 'float32'), shapeAttribute(ctx));

const randomLike: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  return one(dtypeAttribute(ctx, 'dtype', dtype), dims);
};

/** `Multinomial([batch, classes])` draws `sample_size` classes a row. */
const multinomial: ShapeRule = (ctx): readonly Facts[] => {
  const batch: Dim = required(ctx, 0).dims?.[0] ?? null;
  return one(dtypeAttribute(ctx, 'dtype', 'int32'), [batch, ctx.attrs.int('sample_size', 1)]);
};

/** Operators whose output is made, not computed from the input's elements. */
export const CONSTANT: Readonly<Record<string, ShapeRule>> = {
  Bernoulli: randomLike,
  BlackmanWindow: window,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  EyeLike: eyeLike,
  HammingWindow: window,
  HannWindow: window,
  MelWeightMatrix: melWeights,
  Multinomial: multinomial,
  RandomNormal: random,
  RandomNormalLike: randomLike,
  RandomUniform: random,
  RandomUniformLike: randomLike,
  Range: range,
  Shape: shape,
  Size: size,
};
