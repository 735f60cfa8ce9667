import { GlacisError } from '../../core/error.ts';
import type { DType } from '../dtype.ts';
import type { Dim } from '../model.ts';
import { elementCount, numbersOf } from '../tensor.ts';
import type { Facts, ShapeContext } from './rule.ts';

/** Sizes of a value's axes as far as they are known. */
export type Dims = readonly Dim[];

/** Throws `model/invalid` with the node's name in front: `expected`, then what was found. */
export function contradiction(ctx: Pick<ShapeContext, 'node'>, expected: string, got: string): never {
  const { op, name } = ctx.node;
  throw new GlacisError(
    'model/invalid',
    `${name === '' || name === op ? op : `${op} ${name}`}: expected ${expected}, got ${got}`,
  );
}

/** `[2, N, ?]` for messages. */
export function showDims(dims: Dims | undefined): string {
  return dims ? `[${dims.map((d) => d ?? '?').join(', ')}]` : '[…]';
}

/** The facts of an input that the operator requires. */
export function required(ctx: ShapeContext, index: number): Facts {
  return ctx.inputs[index] ?? contradiction(ctx, `an input ${index}`, 'none');
}

/** The integers in a constant input; `undefined` when it is absent or not known before the model runs. */
export function constantInts(ctx: ShapeContext, index: number): number[] | undefined {
  const data = ctx.inputs[index]?.data;
  if (!data || data.external) return undefined;
  const n = elementCount(data.dims);
  if (n > 1 << 16) contradiction(ctx, `input ${index} to be a short list of integers`, `${n} elements`);
  return Array.from(numbersOf(data));
}

/** Sizes that an input lists: constants, or symbols carried there from a shape; `undefined` when nothing is known. */
export function listedSizes(ctx: ShapeContext, index: number): Dims | undefined {
  return constantInts(ctx, index) ?? ctx.inputs[index]?.elements;
}

/** Like {@link constantInts} for one number. */
export function constantNumber(ctx: ShapeContext, index: number): number | undefined {
  const values = constantInts(ctx, index);
  if (values === undefined) return undefined;
  return values.length === 1
    ? values[0]
    : contradiction(ctx, `input ${index} to be one number`, `${values.length} elements`);
}

/** `axis` counted from the front. Errors: `model/invalid` outside `[-rank, rank)`. */
export function axisIn(ctx: ShapeContext, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    contradiction(ctx, `an axis within [${-rank}, ${rank})`, String(axis));
  }
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the front, each at most once. */
export function axesIn(ctx: ShapeContext, axes: readonly number[], rank: number): number[] {
  const out = axes.map((a) => axisIn(ctx, a, rank));
  if (new Set(out).size !== out.length) contradiction(ctx, 'each axis once', `[${axes.join(', ')}]`);
  return out;
}

/** Errors: `model/invalid` unless the rank is known to be `rank` or not known at all. */
export function expectRank(ctx: ShapeContext, index: number, rank: number): void {
  const dims = ctx.inputs[index]?.dims;
  if (dims && dims.length !== rank) contradiction(ctx, `input ${index} of rank ${rank}`, showDims(dims));
}

/** The one size that two axes share. Errors: `model/invalid` when both are known and differ. */
export function sameDim(ctx: ShapeContext, a: Dim, b: Dim, what: string): Dim {
  if (typeof a === 'number' && typeof b === 'number' && a !== b)
    contradiction(ctx, `equal ${what}`, `${a} and ${b}`);
  if (typeof a === 'number') return a;
  return typeof b === 'number' ? b : (a ?? b);
}

/** NumPy broadcasting of any number of shapes; `undefined` when a rank is unknown. */
export function broadcast(ctx: ShapeContext, shapes: readonly (Dims | undefined)[]): Dims | undefined {
  let out: Dims = [];
  for (const shape of shapes) {
    if (shape === undefined) return undefined;
    const rank = Math.max(out.length, shape.length);
    const [a, b]: [Dims, Dims] = [out, shape];
    out = Array.from({ length: rank }, (_, i) => {
      const x = i - rank + a.length < 0 ? 1 : a[i - rank + a.length]!;
      const y = i - rank + b.length < 0 ? 1 : b[i - rank + b.length]!;
      if (x === 1) return y;
      if (y === 1 || x === y) return x;
      if (typeof x === 'number' && typeof y === 'number') {
        contradiction(ctx, 'shapes that broadcast', shapes.map(showDims).join(' and '));
      }
      // A size other than 1 beside an unknown one: the unknown one is 1 or equal to it.
      return typeof x === 'number' ? x : typeof y === 'number' ? y : null;
    });
  }
  return out;
}

/** `f` of a known size, otherwise `null`. */
export function mapDim(dim: Dim, f: (size: number) => number): Dim {
  return typeof dim === 'number' ? f(dim) : null;
}

/** Product of sizes: a number when all are known, one symbol when the rest is 1, otherwise `null`. */
export function productOf(dims: Dims): Dim {
  if (dims.includes(0)) return 0;
  const rest = dims.filter((d) => d !== 1);
  if (rest.length === 1) return rest[0]!;
  let n = 1;
  for (const d of rest) {
    if (typeof d !== 'number') return null;
    n *= d;
  }
  return n;
}

/** Sum of sizes; `null` when one is unknown (a symbol plus zeros stays that symbol). */
export function sumOf(dims: Dims): Dim {
  const rest = dims.filter((d) => d !== 0);
  if (rest.length === 1) return rest[0]!;
  let n = 0;
  for (const d of rest) {
    if (typeof d !== 'number') return null;
    n += d;
  }
  return n;
}

/** `count` unknown sizes. Errors: `model/invalid` for a rank that no real model has. */
export function unknownDims(ctx: ShapeContext, count: number): Dim[] {
  if (count < 0 || count > 1024) contradiction(ctx, 'a rank from 0 to 1024', String(count));
  return new Array<Dim>(count).fill(null);
}

/** How many integers a one-dimensional input holds, when that is known. */
export function lengthOf(facts: Facts | undefined): number | undefined {
  const d = facts?.dims?.length === 1 ? facts.dims[0] : undefined;
  return typeof d === 'number' ? d : undefined;
}

/** One tensor output. */
export function one(dtype: DType, dims: Dims | undefined): readonly Facts[] {
  return [{ dtype, dims }];
}

/** `dims` with the axis `at` replaced. */
export function withDim(dims: Dims, at: number, size: Dim): Dim[] {
  const out = [...dims];
  out[at] = size;
  return out;
}
