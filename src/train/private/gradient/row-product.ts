import { attributesOf } from '../../../onnx/attributes.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import { channelsLast, windowRows } from '../../../transform/gradient/conv-weight.ts';
import type { Use } from '../../../transform/gradient/vjp.ts';
import { type Window, windowOf } from '../../../transform/gradient/window.ts';
import { type Ops, sameDims } from '../../../transform/ops.ts';

/** A matrix's gradient of each sample as a product over rows, `xₙᵀ gₙ`: what a layer saw, and the cotangents of what it gave. */
export interface RowProduct {
  /** `[N, T, d]` */
  readonly x: Value;
  /** `[N, T, p]` */
  readonly g: Value;
  /** How `[d, p]` (of which the first rows count) becomes the gradient of the value: its shape, then the order of axes. */
  readonly form: { readonly shape: readonly number[]; readonly perm: readonly number[] };
  /** The convolution over two axes that this is the gradient of, for layouts that know a quicker way. */
  readonly convolution?: { readonly x: Value; readonly g: Value; readonly window: Window };
}

/** The gradient at `use` as a product over rows; `undefined` where it is none, and where axis 0 is not `rows` samples. */
export function rowProductAt(
  b: Ops,
  { built: { node, inputs }, at, outGrads }: Use,
  rows: number,
): RowProduct | undefined {
  const [x, w] = inputs;
  const [g] = outGrads;
  if (at !== 1 || node.domain !== '' || !x || !w || !g || x.dims[0] !== rows || g.dims[0] !== rows)
    return undefined;
  const attrs = attributesOf(node);
  if (node.op === 'Gemm' && attrs.int('transA', 0) === 0) {
    const alpha = attrs.float('alpha', 1);
    const [d, p] = [x.dims[1]!, g.dims[1]!];
    const isTurned = attrs.int('transB', 0) !== 0;
    return {
      x: b.reshape(x, [rows, 1, d]),
      g: b.reshape(b.mul(g, alpha), [rows, 1, p]),
      form: { shape: [d, p], perm: isTurned ? [1, 0] : [0, 1] },
    };
  }
  if (node.op === 'MatMul' && w.dims.length === 2 && x.dims.length >= 2) {
    const [d, p] = w.dims as [number, number];
    const places = elementCount(x.dims.slice(1, -1));
    return {
      x: b.reshape(x, [rows, places, d]),
      g: b.reshape(g, [rows, places, p]),
      form: { shape: [d, p], perm: [0, 1] },
    };
  }
  if (node.op === 'Conv' && attrs.int('group', 1) === 1) {
    const [o, i] = [w.dims[0]!, w.dims[1]!];
    const window = windowOf(attrs, x.dims.slice(2), w.dims.slice(2));
    const out = g.dims.slice(2);
    const rank = out.length;
    return {
      x: windowRows(b, x, out, window),
      g: b.reshape(channelsLast(b, g), [rows, elementCount(out), o]),
      form: { shape: [...window.kernel, i, o], perm: [rank + 1, rank, ...out.keys()] },
      ...(rank === 2 && x.dtype === 'float32' ? { convolution: { x, g, window } } : {}),
    };
  }
  return undefined;
}

/** Several products of one matrix as one, their rows one after the other; `undefined` where they do not fit together. */
export function joinedProduct(b: Ops, products: readonly RowProduct[]): RowProduct | undefined {
  const [first] = products;
  if (!first || products.length === 1) return first;
  const fits = ({ x, form }: RowProduct) =>
    x.dims[2] === first.x.dims[2] &&
    sameDims(form.shape, first.form.shape) &&
    sameDims(form.perm, first.form.perm);
  if (!products.every(fits)) return undefined;
  return {
    x: b.concat(
      products.map(({ x }) => x),
      1,
    ),
    g: b.concat(
      products.map(({ g }) => g),
      1,
    ),
    form: first.form,
  };
}
