import type { Value } from '../../onnx/graph-builder.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Ops } from '../ops.ts';
import { tuples, type Window } from './window.ts';

/**
 * Up to so many output positions, the batch joins them in the inner dimension of the products: with few positions a product
 * per sample is too thin (measured, 64 samples of 512 channels at 4×4: 250 → 45 ms).
 */
const FEW_PLACES = 64;

/**
 * Gradient of a convolution with respect to its weights, `[O, I/g, K…]`, or `[N, O, I/g, K…]` per sample.
 *
 * The batched product `g[n] · im2col(x[n])ᵀ` is the gradient of every sample; the plain gradient is its sum.
 *
 * @param g cotangent of the output, `[N, O, P…]`
 * @param x input `[N, I, L…]`
 * @param dims shape of the weights
 */
export function convWeightGradient(
  b: Ops,
  g: Value,
  x: Value,
  dims: readonly number[],
  window: Window,
  group: number,
  perSample: boolean,
): Value {
  const n = x.dims[0]!;
  const [o, ig] = [dims[0]!, dims[1]!];
  const taps = elementCount(window.kernel);
  const places = elementCount(g.dims.slice(2));
  const result = perSample ? [n, ...dims] : dims;
  if (n * places * elementCount(dims) === 0) return b.full(result, 0, g.dtype);
  if (!perSample && group === 1 && places <= FEW_PLACES && x.dims.length > 2)
    return tapwise(b, g, x, dims, window);
  const columns = im2col(b, x, g.dims.slice(2), window, group);
  const products = multiplyTransposed(
    b,
    b.reshape(g, [n * group, o / group, places]),
    b.reshape(columns, [n * group, taps * ig, places]),
  );
  // [N·G, O/G, K·I/G] → [(N,) O, K, I/G] → taps last
  const summed = perSample
    ? b.reshape(products, [n, o, taps, ig])
    : b.sum(b.reshape(products, [n, o, taps, ig]), [0]);
  const perm = perSample ? [0, 1, 3, 2] : [0, 2, 1];
  return b.reshape(b.transpose(summed, perm), result);
}

/** The window's inputs, tap by tap: `[N, G, K·I/G, P]`. */
function im2col(b: Ops, x: Value, out: readonly number[], window: Window, group: number): Value {
  const [n, i] = [x.dims[0]!, x.dims[1]!];
  const image = padded(b, x, out, window);
  const pieces = [...tuples(window.kernel)].map((tap) => {
    const view = out.reduce((v, p, a) => tapView(b, v, 2 + a, tap[a]!, p, window, a), image);
    return b.reshape(view, [n, group, i / group, elementCount(out)]);
  });
  return b.concat(pieces, 2);
}

/** `x · yᵀ` over the last two axes of `[B, R, P]` and `[B, C, P]`. */
export function multiplyTransposed(b: Ops, x: Value, y: Value): Value {
  if (x.dtype === 'float32') return b.node('FusedMatMul', [x, y], { transB: 1 }, { domain: 'com.microsoft' });
  return b.matmul(x, b.transpose(y, [0, 2, 1]));
}

/** One product per tap over batch and positions together, `g[P·N, O]ᵀ · x_tap[P·N, I]`, with space in front so that taps are slices. */
function tapwise(b: Ops, g: Value, x: Value, dims: readonly number[], window: Window): Value {
  const [o, i] = [dims[0]!, dims[1]!];
  const out = g.dims.slice(2);
  const rows = elementCount(out) * x.dims[0]!;
  const axes = out.map((_, a) => a);
  const spaceFirst = [...axes.map((a) => a + 2), 0, 1];
  const cotangent = b.reshape(b.transpose(g, spaceFirst), [rows, o]);
  const image = b.transpose(padded(b, x, out, window), spaceFirst);
  const products = [...tuples(window.kernel)].map((tap) => {
    const view = axes.reduce((v, a) => tapView(b, v, a, tap[a]!, out[a]!, window, a), image);
    return b.reshape(b.node('Gemm', [cotangent, b.reshape(view, [rows, i])], { transA: 1 }), [1, o, i]);
  });
  return b.reshape(b.transpose(b.concat(products, 0), [1, 2, 0]), dims);
}

/** `x` with the zeros that the windows of `out` positions reach. */
function padded(
  b: Ops,
  x: Value,
  out: readonly number[],
  { kernel, strides, dilations, before }: Window,
): Value {
  const after = out.map((p, a) =>
    Math.max(0, (p - 1) * strides[a]! + dilations[a]! * (kernel[a]! - 1) + 1 - before[a]! - x.dims[2 + a]!),
  );
  return b.pad(x, [0, 0, ...before], [0, 0, ...after]);
}

/** What one tap of the kernel sees along one axis. */
function tapView(
  b: Ops,
  v: Value,
  axis: number,
  tap: number,
  count: number,
  { strides, dilations }: Window,
  a: number,
): Value {
  const start = tap * dilations[a]!;
  return b.slice(v, axis, start, start + (count - 1) * strides[a]! + 1, strides[a]!);
}
