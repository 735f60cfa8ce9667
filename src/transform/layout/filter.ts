import type { Value } from '../../onnx/graph-builder.ts';
import { numbersOf, type Tensor } from '../../onnx/tensor.ts';
import type { Ops } from '../ops.ts';

/**
 * Weights of a convolution in the order that ONNX Runtime's blocked kernels read (MLAS `OIHWBiBo`): blocks of output channels, blocks
 * of input channels, taps, then input and output channel within their blocks. Output channels are filled up with zeros
 * to a multiple of `block`; input channels must be a multiple already, or fewer than a block (`OIHWBo`, for a plain input),
 * or 1 (depthwise).
 *
 * @param w `[O, I, H, W]` float32
 * @returns dims `[O rounded up, I, H, W]`
 */
export function blockedFilter(w: Tensor, block: number): Tensor {
  const [o, i, kh, kw] = w.dims as [number, number, number, number];
  const values = numbersOf(w);
  const outputs = Math.ceil(o / block) * block;
  const inner = i % block === 0 ? block : 1;
  const taps = kh * kw;
  const data = new Float32Array(outputs * i * taps);
  let at = 0;
  for (let ob = 0; ob < outputs; ob += block) {
    for (let ib = 0; ib < i; ib += inner) {
      for (let t = 0; t < taps; t++) {
        for (let bi = 0; bi < inner; bi++) {
          for (let bo = 0; bo < block; bo++, at++) {
            if (ob + bo < o) data[at] = values[((ob + bo) * i + ib + bi) * taps + t]!;
          }
        }
      }
    }
  }
  return { dtype: 'float32', dims: [outputs, i, kh, kw], data: new Uint8Array(data.buffer) };
}

/** A bias `[O]` filled up with zeros to a multiple of `block`. */
export function blockedBias(bias: Tensor, block: number): Tensor {
  const values = numbersOf(bias);
  const data = new Float32Array(Math.ceil(values.length / block) * block);
  data.set(values);
  return { dtype: 'float32', dims: [data.length], data: new Uint8Array(data.buffer) };
}

/** What {@link blockedFilter} does, as nodes, for weights that are computed; output channels must be whole blocks. */
export function reorderedFilter(b: Ops, w: Value, block: number): Value {
  const [o, i, kh, kw] = w.dims as [number, number, number, number];
  const inner = i % block === 0 ? block : 1;
  const split = b.reshape(w, [o / block, block, i / inner, inner, kh, kw]);
  return b.reshape(b.transpose(split, [0, 2, 4, 5, 3, 1]), w.dims);
}
