import type { Value } from '../../onnx/graph-builder.ts';
import { elementCount, stridesOf, tensorFrom } from '../../onnx/tensor.ts';
import type { Ops } from '../ops.ts';
import { tuples, type Window } from './window.ts';

/** From so many input channels on, windows are gathered as rows of channels; below, copies of so few bytes are slow. */
const ROW_CHANNELS = 8;

/** Rows in one product of rows: with more, its operands no longer lie in the cache between two products. */
const PRODUCT_ROWS = 4096;

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
  if (!perSample && group === 1 && ig >= ROW_CHANNELS) return byRows(b, g, x, dims, window);
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

/**
 * Products over rows of channels, `Σ rows(x)[R, K·I]ᵀ · g[R, O]` with the batch inside the rows: channels last, a window is rows
 * that one gathering puts side by side, padding (a row of zeros behind the image) and strides included.
 */
function byRows(b: Ops, g: Value, x: Value, dims: readonly number[], window: Window): Value {
  const [n, o, i] = [x.dims[0]!, dims[0]!, dims[1]!];
  const last = (v: Value) => b.transpose(v, [0, ...v.dims.slice(2).map((_, a) => a + 2), 1]);
  const size = elementCount(x.dims.slice(2));
  const places = elementCount(g.dims.slice(2));
  const taps = elementCount(window.kernel);
  const at = windowPlaces(x.dims.slice(2), g.dims.slice(2), window);
  const image = b.reshape(last(x), [n, size, i]);
  const whole = at.length === size && at.every((place, k) => place === k);
  const rows = at.includes(size) ? b.pad(image, [0, 0, 0], [0, 1, 0]) : image;
  const columns = whole ? rows : b.gather(rows, b.builder.constant(tensorFrom('int32', [at.length], at)), 1);
  const parts = partsOf(n, places);
  const inner = (n / parts) * places;
  const products = transposedProduct(
    b,
    b.reshape(columns, [parts, inner, taps * i]),
    b.reshape(last(g), [parts, inner, o]),
  );
  const spatial = window.kernel.map((_, a) => a);
  const rank = spatial.length;
  return b.transpose(b.reshape(b.sum(products, [0]), [...window.kernel, i, o]), [rank + 1, rank, ...spatial]);
}

/** Into how many products the batch is parted. */
function partsOf(n: number, places: number): number {
  for (let parts = 1; parts < n; parts++)
    if (n % parts === 0 && (n / parts) * places <= PRODUCT_ROWS) return parts;
  return n;
}

/** Where each output position's taps lie in the input, flat, output positions first; the input's size where outside. */
function windowPlaces(
  input: readonly number[],
  out: readonly number[],
  { kernel, strides, dilations, before }: Window,
): number[] {
  const size = elementCount(input);
  const steps = stridesOf(input);
  const places: number[] = [];
  for (const p of tuples(out))
    for (const k of tuples(kernel)) {
      const at = p.map((v, a) => v * strides[a]! + k[a]! * dilations[a]! - before[a]!);
      const inside = at.every((v, a) => v >= 0 && v < input[a]!);
      places.push(inside ? at.reduce((sum, v, a) => sum + v * steps[a]!, 0) : size);
    }
  return places;
}

/** `xᵀ · y` over the last two axes of `[B, R, P]` and `[B, R, Q]`. */
function transposedProduct(b: Ops, x: Value, y: Value): Value {
  if (x.dtype === 'float32') return b.node('FusedMatMul', [x, y], { transA: 1 }, { domain: 'com.microsoft' });
  return b.matmul(b.transpose(x, [0, 2, 1]), y);
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
