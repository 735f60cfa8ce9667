import type { Attributes } from '../../src/onnx/attributes.ts';
import type { DType } from '../../src/onnx/dtype.ts';
import type { Node } from '../../src/onnx/model.ts';
import { elementCount, stridesOf } from '../../src/onnx/tensor.ts';

/** A tensor whose elements are all held as float64, whatever `dtype` says (bool is 0 or 1). */
export interface RefTensor {
  readonly dims: readonly number[];
  readonly data: Float64Array;
  readonly dtype: DType;
}

/** What the reference implementation of an operator sees. */
export interface RefContext {
  readonly node: Node;
  readonly attrs: Attributes;
  readonly inputs: readonly (RefTensor | null)[];
  /** Input `i`, which the operator requires. */
  input(i: number): RefTensor;
  /** Input `i` as integers, or `undefined` where it is absent. */
  ints(i: number): number[] | undefined;
}

/** An operator in plain loops over float64: its outputs, in order. */
export type RefOp = (context: RefContext) => readonly RefTensor[];

/** Several operators by name. */
export type RefFamily = Readonly<Record<string, RefOp>>;

/** A tensor of `dims` with `f(flat index, index along each axis)` at each place. */
export function build(
  dims: readonly number[],
  dtype: DType,
  f: (flat: number, at: readonly number[]) => number,
): RefTensor {
  const n = elementCount(dims);
  const data = new Float64Array(n);
  const at = new Array<number>(dims.length).fill(0);
  for (let i = 0; i < n; i++) {
    data[i] = f(i, at);
    for (let k = dims.length - 1; k >= 0; k--) {
      if (++at[k]! < dims[k]!) break;
      at[k] = 0;
    }
  }
  return { dims: [...dims], data, dtype };
}

/** The element at `at`; axes of size 1 and missing leading axes broadcast. */
export function read(t: RefTensor, at: readonly number[]): number {
  const strides = stridesOf(t.dims);
  const skip = at.length - t.dims.length;
  let flat = 0;
  for (let k = 0; k < t.dims.length; k++) if (t.dims[k] !== 1) flat += at[k + skip]! * strides[k]!;
  return t.data[flat]!;
}

/** The shape that `shapes` broadcast to. */
export function broadcastDims(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, k) => {
    const sizes = shapes.map((s) => s[k - rank + s.length] ?? 1);
    return sizes.find((d) => d !== 1) ?? 1;
  });
}

/** `axis`, counted from the front. */
export function fromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
