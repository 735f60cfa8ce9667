import type { Value } from '../../onnx/graph-builder.ts';
import { elementCount, stridesOf, tensorFrom } from '../../onnx/tensor.ts';
import type { Ops } from '../ops.ts';
import { tuples, type Window } from './window.ts';

/** From so many input channels on, windows are gathered as rows of channels; below, copies of so few bytes are slow. */
const ROW_CHANNELS = 8;

/** Up to so many elements, a window of few channels is laid out by a convolution that picks them. */
const PICKED_ELEMENTS = 64;

/** Channels of a picking convolution come in multiples of this, so that they are whole blocks of the runtime's layout. */
const PICKED_BLOCK = 16;

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
  if (!perSample && group === 1 && (ig >= ROW_CHANNELS || taps * ig <= PICKED_ELEMENTS))
    return byRows(b, g, x, dims, window);
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
 * Products over rows of channels, `Σ rows(x)[R, K·I]ᵀ · g[R, O]` with the batch inside the rows. The gradient is written as a
 * transposition of `[K…, I, O]`.
 */
function byRows(b: Ops, g: Value, x: Value, dims: readonly number[], window: Window): Value {
  const [o, i] = [dims[0]!, dims[1]!];
  const elements = elementCount(window.kernel) * i;
  const rows = windowRows(b, x, g.dims.slice(2), window);
  const cotangent = rowsOf(b, g);
  const [parts, inner] = cotangent.dims as [number, number];
  const products = transposedProduct(b, b.reshape(rows, [parts, inner, rows.dims.at(-1)!]), cotangent);
  const sum = b.slice(b.sum(products, [0]), 0, 0, elements);
  const rank = window.kernel.length;
  const held = b.reshape(sum, [...window.kernel, i, o]);
  const { kernel, strides, dilations, before, after } = window;
  if (rank === 2 && held.dtype === 'float32')
    b.builder.offer(held, 'ConvWeightGradient', [x, g], {
      kernel_shape: kernel,
      strides,
      dilations,
      pads: [...before, ...after],
    });
  return b.transpose(held, [rank + 1, rank, ...kernel.map((_, a) => a)]);
}

/** What the windows of each output position see, a row each with channels last: `[N, P, ≥ K·I]`, zeros behind. */
export function windowRows(b: Ops, x: Value, out: readonly number[], window: Window): Value {
  const i = x.dims[1]!;
  const picks = i < ROW_CHANNELS && i * elementCount(window.kernel) <= PICKED_ELEMENTS;
  return picks ? pickedRows(b, x, out, window) : gatheredRows(b, x, out, window);
}

/** `[N, C, L…]` as rows of channels `[parts, rows, C]`, in parts of a size that suits a product. */
export function rowsOf(b: Ops, v: Value): Value {
  const [n, c] = [v.dims[0]!, v.dims[1]!];
  const places = elementCount(v.dims.slice(2));
  const parts = partsOf(n, places);
  return b.reshape(channelsLast(b, v), [parts, (n / parts) * places, c]);
}

/** `[N, C, L…]` as `[N, L…, C]`. */
export function channelsLast(b: Ops, v: Value): Value {
  return b.transpose(v, [0, ...v.dims.slice(2).map((_, a) => a + 2), 1]);
}

/** Windows `[N, P, K·I]`: with channels last they are rows, padding (a row of zeros behind the image) and strides included. */
function gatheredRows(b: Ops, x: Value, out: readonly number[], window: Window): Value {
  const [n, i] = [x.dims[0]!, x.dims[1]!];
  const size = elementCount(x.dims.slice(2));
  const at = windowPlaces(x.dims.slice(2), out, window);
  const image = b.reshape(channelsLast(b, x), [n, size, i]);
  const places = elementCount(out);
  const shape = [n, places, (at.length / places) * i];
  if (at.length === size && at.every((place, k) => place === k)) return b.reshape(image, shape);
  const rows = at.includes(size) ? b.pad(image, [0, 0, 0], [0, 1, 0]) : image;
  return b.reshape(b.gather(rows, b.builder.constant(tensorFrom('int32', [at.length], at)), 1), shape);
}

/**
 * Windows `[N, P, ≥ K·I]`, zeros behind: a convolution with one weight of 1 a channel lays them out in the runtime's blocked layout
 * (measured, 250×1×28×28: 6 → 1.5 ms; copies of single elements are slow).
 */
function pickedRows(b: Ops, x: Value, out: readonly number[], window: Window): Value {
  const { kernel, strides, dilations, before } = window;
  const [n, i] = [x.dims[0]!, x.dims[1]!];
  const taps = elementCount(kernel);
  const width = Math.ceil((taps * i) / PICKED_BLOCK) * PICKED_BLOCK;
  const one = new Float32Array(width * i * taps);
  for (let tap = 0; tap < taps; tap++)
    for (let channel = 0; channel < i; channel++) one[((tap * i + channel) * i + channel) * taps + tap] = 1;
  const weights = b.builder.constant(tensorFrom(x.dtype, [width, i, ...kernel], one));
  const pads = [...before, ...endOf(x, out, window)];
  const picked = b.node('Conv', [x, weights], { kernel_shape: kernel, strides, dilations, pads });
  return b.reshape(channelsLast(b, picked), [n, elementCount(out), width]);
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
export function transposedProduct(b: Ops, x: Value, y: Value): Value {
  if (x.dtype === 'float32') return b.node('FusedMatMul', [x, y], { transA: 1 }, { domain: 'com.microsoft' });
  return b.matmul(b.transpose(x, [0, 2, 1]), y);
}

/** Zeros behind `x` that the windows of `out` positions reach. */
function endOf(x: Value, out: readonly number[], { kernel, strides, dilations, before }: Window): number[] {
  return out.map((p, a) =>
    Math.max(0, (p - 1) * strides[a]! + dilations[a]! * (kernel[a]! - 1) + 1 - before[a]! - x.dims[2 + a]!),
  );
}

/** `x` with the zeros that the windows of `out` positions reach. */
function padded(b: Ops, x: Value, out: readonly number[], window: Window): Value {
  return b.pad(x, [0, 0, ...window.before], [0, 0, ...endOf(x, out, window)]);
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
