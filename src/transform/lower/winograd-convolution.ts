import type { Value } from '../../onnx/graph-builder.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { windowOf } from '../gradient/window.ts';
import { axisTransform, filteringFor, mapTransform, weightTransform } from '../layout/winograd.ts';
import type { Ops } from '../ops.ts';
import { defineLowering } from './rule.ts';

/** Up to so many places both axes are transformed by one dense matrix; above, one axis after the other (measured at 16×16: 20 → 5 ms). */
const DENSE_PLACES = 64;

/** Up to so many places, and from so many channels on, Winograd pays for a whole training step. */
const MOST_PLACES = 256;
const FEWEST_CHANNELS = 128;

/**
 * A 3×3 convolution with stride 1 and padding 1 whose weights are an input of the graph (they are trained), as Winograd products
 * `Y = A (U ⊙ V)`, `U = G w Gᵀ`, `V = B x` (Lavin & Gray 2016). Written before the gradient is taken, so that the backward pass
 * is the products' own: it shares `U` and `V`, multiplies as little as the forward pass, and needs no flipped weights.
 * With constant weights the layout decides later, by other measurements (see `layout/winograd.ts`).
 *
 * Measured on two cores with AVX-512, batch 64, direct against Winograd, forward: 512 channels at 4×4 20 → 10 ms, 256 at 8×8 14 → 8,
 * 128 at 16×16 14 → 11; 64 at 32×32 gains nothing.
 */
export const winogradConvolution = defineLowering({
  op: 'Conv',
  note: '3×3 convolutions of small maps with trained weights become Winograd products',
  lower({ b, attrs, inputs, input }) {
    const [x, w] = [input(0), input(1)];
    if (!isTrained(b, w) || x.dtype !== 'float32' || x.dims.length !== 4) return undefined;
    const [n, c, h, width] = x.dims as [number, number, number, number];
    const k = w.dims[0]!;
    const { kernel, strides, dilations, before, after } = windowOf(attrs, [h, width], w.dims.slice(2));
    const fits =
      attrs.int('group', 1) === 1 &&
      kernel.every((v) => v === 3) &&
      [...strides, ...dilations, ...before, ...after].every((v) => v === 1) &&
      Math.min(h, width) >= 3 &&
      h * width <= MOST_PLACES &&
      Math.min(c, k) >= FEWEST_CHANNELS &&
      n > 0;
    if (!fits) return undefined;
    const y = products(b, x, w);
    return [b.transpose(inputs[2] ? b.add(y, inputs[2]) : y, [2, 3, 0, 1])];
  },
});

/** Whether a value is an input of the graph, or one in another order of axes. */
function isTrained(b: Ops, w: Value): boolean {
  const above = b.builder.producer(w);
  const source = above?.node.op === 'Transpose' ? above.inputs[0]! : w;
  return !source.data && !b.builder.producer(source);
}

/** The convolution with space in front, `[H, W, N, K]`. */
function products(b: Ops, x: Value, w: Value): Value {
  const [n, c, h, width] = x.dims as [number, number, number, number];
  const k = w.dims[0]!;
  const constant = (tensor: Tensor) => b.builder.constant(tensor);
  const filtering = filteringFor(h, width);
  const side = filtering.m + 2;
  const taps = b.reshape(b.transpose(w, [2, 3, 1, 0]), [9, c * k]);
  const weights = b.matmul(constant(weightTransform(filtering)), taps);
  const image = b.transpose(x, [2, 3, 0, 1]);
  if (h * width <= DENSE_PLACES) {
    const { tiles, input, output } = mapTransform(filtering, h, width);
    const inner = b.matmul(constant(input), b.reshape(image, [h * width, n * c]));
    const each = b.matmul(
      b.reshape(inner, [side * side, tiles * n, c]),
      b.reshape(weights, [side * side, c, k]),
    );
    const y = b.matmul(constant(output), b.reshape(each, [side * side * tiles, n * k]));
    return b.reshape(y, [h, width, n, k]);
  }
  const rows = axisTransform(filtering, h);
  const columns = axisTransform(filtering, width);
  const [down, across] = [side * rows.tiles, side * columns.tiles];
  const half = b.matmul(constant(rows.input), b.reshape(image, [h, width * n * c]));
  const inner = b.matmul(constant(columns.input), b.reshape(half, [down, width, n * c]));
  const each = b.matmul(
    b.reshape(inner, [side, rows.tiles, side, columns.tiles * n, c]),
    b.reshape(weights, [side, 1, side, c, k]),
  );
  const back = b.matmul(constant(columns.output), b.reshape(each, [down, across, n * k]));
  const y = b.matmul(constant(rows.output), b.reshape(back, [down, width * n * k]));
  return b.reshape(y, [h, width, n, k]);
}
