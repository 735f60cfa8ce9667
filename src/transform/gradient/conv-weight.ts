import type { Value } from '../../onnx/graph-builder.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Ops } from '../ops.ts';
import { tuples, type Window } from './window.ts';

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
function im2col(
  b: Ops,
  x: Value,
  out: readonly number[],
  { kernel, strides, dilations, before }: Window,
  group: number,
): Value {
  const [n, i] = [x.dims[0]!, x.dims[1]!];
  const after = out.map((p, a) =>
    Math.max(0, (p - 1) * strides[a]! + dilations[a]! * (kernel[a]! - 1) + 1 - before[a]! - x.dims[2 + a]!),
  );
  const padded = b.pad(x, [0, 0, ...before], [0, 0, ...after]);
  const pieces: Value[] = [];
  for (const tap of tuples(kernel)) {
    const view = out.reduce((v, p, a) => {
      const start = tap[a]! * dilations[a]!;
      return b.slice(v, 2 + a, start, start + (p - 1) * strides[a]! + 1, strides[a]!);
    }, padded);
    pieces.push(b.reshape(view, [n, group, i / group, elementCount(out)]));
  }
  return b.concat(pieces, 2);
}

/** `x · yᵀ` over the last two axes of `[B, R, P]` and `[B, C, P]`. */
export function multiplyTransposed(b: Ops, x: Value, y: Value): Value {
  if (x.dtype === 'float32') return b.node('FusedMatMul', [x, y], { transB: 1 }, { domain: 'com.microsoft' });
  return b.matmul(x, b.transpose(y, [0, 2, 1]));
}
