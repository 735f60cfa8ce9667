import { type AttributeInput, attributesOf } from '../onnx/attributes.ts';
import { DTYPE_CODES, type DType } from '../onnx/dtype.ts';
import type { AddOptions, GraphBuilder, Value } from '../onnx/graph-builder.ts';
import { elementCount, int64Tensor, tensorFrom } from '../onnx/tensor.ts';

/**
 * The operators that transforms write, as short functions over one {@link GraphBuilder}. Shapes are static; binary operators
 * broadcast as NumPy does. A number where a value is expected becomes a scalar of the other operand's type.
 * Operations that change nothing (reshape to the same dims, sum over no axes, times one) give their operand back, and a
 * transposition of a transposition is one.
 */
export interface Ops {
  readonly builder: GraphBuilder;
  /** Any single-output node. */
  node(
    op: string,
    inputs: readonly (Value | null)[],
    attributes?: Readonly<Record<string, AttributeInput>>,
    options?: AddOptions,
  ): Value;
  /** Any node with several outputs. */
  nodes(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeInput>>,
    options: AddOptions,
  ): readonly Value[];
  /** A scalar constant. */
  scalar(value: number, dtype: DType): Value;
  /** A constant int64 vector. */
  ints(values: readonly number[]): Value;
  /** A constant of `dims` filled with `value`. */
  full(dims: readonly number[], value: number, dtype: DType): Value;
  zerosLike(x: Value): Value;
  add(x: Value, y: Value | number): Value;
  sub(x: Value | number, y: Value | number): Value;
  mul(x: Value, y: Value | number): Value;
  div(x: Value | number, y: Value | number): Value;
  pow(x: Value, y: Value | number): Value;
  neg(x: Value): Value;
  /** A unary operator by its ONNX name, e.g. `unary('Exp', x)`. */
  unary(op: string, x: Value): Value;
  /** A comparison: `Equal`, `Less`, `LessOrEqual`, `Greater`, `GreaterOrEqual`; the result is bool. */
  compare(
    op: 'Equal' | 'Less' | 'LessOrEqual' | 'Greater' | 'GreaterOrEqual',
    x: Value,
    y: Value | number,
  ): Value;
  where(condition: Value, x: Value | number, y: Value | number): Value;
  max(x: Value, y: Value | number): Value;
  min(x: Value, y: Value | number): Value;
  cast(x: Value, dtype: DType): Value;
  matmul(x: Value, y: Value): Value;
  /** Reductions over `axes` (negative allowed); `keep` keeps them as size 1 (default false). */
  sum(x: Value, axes: readonly number[], keep?: boolean): Value;
  mean(x: Value, axes: readonly number[], keep?: boolean): Value;
  reduceMax(x: Value, axes: readonly number[], keep?: boolean): Value;
  reshape(x: Value, dims: readonly number[]): Value;
  transpose(x: Value, perm: readonly number[]): Value;
  unsqueeze(x: Value, axes: readonly number[]): Value;
  squeeze(x: Value, axes: readonly number[]): Value;
  expand(x: Value, dims: readonly number[]): Value;
  concat(values: readonly Value[], axis: number): Value;
  /** `x[..., start:end:step, ...]` on one axis. */
  slice(x: Value, axis: number, start: number, end: number, step?: number): Value;
  split(x: Value, axis: number, sizes: readonly number[]): readonly Value[];
  /** Zero padding; `before` and `after` have one entry an axis. Negative entries crop. */
  pad(x: Value, before: readonly number[], after: readonly number[]): Value;
  gather(x: Value, indices: Value, axis: number): Value;
  /**
   * Sums `g` over the axes that broadcasting stretched, so that the result has exactly `dims`: the transpose of broadcasting,
   * and the one place where this is done.
   */
  unbroadcast(g: Value, dims: readonly number[]): Value;
}

/** The operators over `builder`. */
export function opsOn(builder: GraphBuilder): Ops {
  const node: Ops['node'] = (op, inputs, attributes, options) =>
    builder.add(op, inputs, attributes, options)[0]!;
  const scalar = (value: number, dtype: DType) => builder.constant(tensorFrom(dtype, [], [value]));
  const ints = (values: readonly number[]) => builder.constant(int64Tensor([values.length], values));
  const pair = (x: Value | number, y: Value | number): [Value, Value] => {
    const dtype = typeof x !== 'number' ? x.dtype : (y as Value).dtype;
    return [typeof x === 'number' ? scalar(x, dtype) : x, typeof y === 'number' ? scalar(y, dtype) : y];
  };
  const binary = (op: string, x: Value | number, y: Value | number) => node(op, pair(x, y));
  const axesOf = (x: Value, axes: readonly number[]) =>
    axes.map((a) => (a < 0 ? a + x.dims.length : a)).sort((a, b) => a - b);
  const reduce = (op: string, x: Value, axes: readonly number[], keep: boolean): Value => {
    const all = axesOf(x, axes);
    if (all.length === 0) return x;
    if (op !== 'ReduceMean' && all.every((a) => x.dims[a] === 1)) {
      return keep
        ? x
        : reshape(
            x,
            x.dims.filter((_, i) => !all.includes(i)),
          );
    }
    return node(op, [x, ints(all)], { keepdims: keep ? 1 : 0 });
  };
  const reshape = (x: Value, dims: readonly number[]): Value =>
    sameDims(x.dims, dims) ? x : node('Reshape', [x, ints(dims)], dims.includes(0) ? { allowzero: 1 } : {});

  const ops: Ops = {
    builder,
    node,
    nodes: (op, inputs, attributes, options) => builder.add(op, inputs, attributes, options),
    scalar,
    ints,
    full: (dims, value, dtype) => {
      const one = scalar(value, dtype);
      return elementCount(dims) === 0
        ? builder.constant(tensorFrom(dtype, dims, []))
        : node('Expand', [one, ints(dims)]);
    },
    zerosLike: (x) => ops.full(x.dims, 0, x.dtype),
    add: (x, y) => binary('Add', x, y),
    sub: (x, y) => binary('Sub', x, y),
    mul: (x, y) => (y === 1 ? x : binary('Mul', x, y)),
    div: (x, y) => (y === 1 ? (x as Value) : binary('Div', x, y)),
    pow: (x, y) => binary('Pow', x, y),
    neg: (x) => node('Neg', [x]),
    unary: (op, x) => node(op, [x]),
    compare: (op, x, y) => binary(op, x, y),
    where: (condition, x, y) => node('Where', [condition, ...pair(x, y)]),
    max: (x, y) => binary('Max', x, y),
    min: (x, y) => binary('Min', x, y),
    cast: (x, dtype) => (x.dtype === dtype ? x : node('Cast', [x], { to: DTYPE_CODES[dtype] })),
    matmul: (x, y) => node('MatMul', [x, y]),
    sum: (x, axes, keep = false) => reduce('ReduceSum', x, axes, keep),
    mean: (x, axes, keep = false) => reduce('ReduceMean', x, axes, keep),
    reduceMax: (x, axes, keep = false) => reduce('ReduceMax', x, axes, keep),
    reshape,
    transpose: (x, perm) => {
      if (perm.every((p, i) => p === i)) return x;
      const above = builder.producer(x);
      if (above?.node.op !== 'Transpose' || above.node.domain !== '') return node('Transpose', [x], { perm });
      const first = attributesOf(above.node).ints('perm', [...x.dims.keys()].reverse());
      return ops.transpose(
        above.inputs[0]!,
        perm.map((p) => first[p]!),
      );
    },
    unsqueeze: (x, axes) => {
      const rank = x.dims.length + axes.length;
      const at = new Set(axes.map((a) => (a < 0 ? a + rank : a)));
      const rest = [...x.dims];
      return reshape(
        x,
        Array.from({ length: rank }, (_, i) => (at.has(i) ? 1 : rest.shift()!)),
      );
    },
    squeeze: (x, axes) => {
      const all = axesOf(x, axes);
      return reshape(
        x,
        x.dims.filter((_, i) => !all.includes(i)),
      );
    },
    expand: (x, dims) => (sameDims(x.dims, dims) ? x : node('Expand', [x, ints(dims)])),
    concat: (values, axis) => (values.length === 1 ? values[0]! : node('Concat', values, { axis })),
    slice: (x, axis, start, end, step = 1) => {
      const a = axis < 0 ? axis + x.dims.length : axis;
      if (step === 1 && start === 0 && end >= x.dims[a]!) return x;
      return node('Slice', [x, ints([start]), ints([end]), ints([a]), ints([step])]);
    },
    split: (x, axis, sizes) =>
      sizes.length === 1 ? [x] : builder.add('Split', [x, ints(sizes)], { axis }, { outputs: sizes.length }),
    pad: (x, before, after) =>
      [...before, ...after].every((p) => p === 0)
        ? x
        : node('Pad', [x, ints([...before, ...after]), scalar(0, x.dtype)], { mode: 'constant' }),
    gather: (x, indices, axis) => node('Gather', [x, indices], { axis }),
    unbroadcast: (g, dims) => {
      if (sameDims(g.dims, dims)) return g;
      const extra = g.dims.length - dims.length;
      const axes = g.dims.flatMap((d, i) => (i < extra || (dims[i - extra] === 1 && d !== 1) ? [i] : []));
      return reshape(ops.sum(g, axes), dims);
    },
  };
  return ops;
}

/** Whether two shapes are equal. */
export function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}
