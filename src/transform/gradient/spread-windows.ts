import type { Value } from '../../onnx/graph-builder.ts';
import { elementCount, tensorFrom } from '../../onnx/tensor.ts';
import type { Ops } from '../ops.ts';
import { convInputGradient } from './conv-input.ts';
import type { Window } from './window.ts';

/**
 * Adds each window's `g` to all elements of its window: the transpose of summing windows. Windows that tile the input
 * are an expansion; others a convolution of each plane with ones.
 *
 * @param g `[N, C, P…]`
 * @param dims shape of the input, `[N, C, L…]`
 */
export function spreadWindows(b: Ops, g: Value, dims: readonly number[], window: Window): Value {
  const out = g.dims.slice(2);
  const spatial = dims.slice(2);
  if (elementCount(dims) === 0 || elementCount(g.dims) === 0) return b.full(dims, 0, g.dtype);
  const { kernel, strides, dilations, before } = window;
  const tiles = kernel.every(
    (k, a) =>
      k === strides[a] && (k === 1 || dilations[a] === 1) && before[a] === 0 && out[a]! * k <= spatial[a]!,
  );
  if (tiles) {
    const lead = dims.slice(0, 2);
    const apart = b.reshape(g, [...lead, ...out.flatMap((p) => [p, 1])]);
    const stretched = b.expand(apart, [...lead, ...out.flatMap((p, a) => [p, kernel[a]!])]);
    const covered = b.reshape(stretched, [...lead, ...out.map((p, a) => p * kernel[a]!)]);
    return b.pad(
      covered,
      dims.map(() => 0),
      dims.map((d, a) => d - covered.dims[a]!),
    );
  }
  const planes = dims[0]! * dims[1]!;
  const ones = b.builder.constant(
    tensorFrom(g.dtype, [1, 1, ...kernel], new Array<number>(elementCount(kernel)).fill(1)),
  );
  return b.reshape(
    convInputGradient(b, b.reshape(g, [planes, 1, ...out]), ones, [planes, 1, ...spatial], window, 1),
    dims,
  );
}
