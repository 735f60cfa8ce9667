import { attributesOf } from '../../onnx/attributes.ts';
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

/**
 * What {@link blockedFilter} does, as nodes, for weights that are computed; output channels must be whole blocks. Weights that are
 * a transposition are read before it: with output channels last, the reordering moves whole blocks.
 */
export function reorderedFilter(b: Ops, w: Value, block: number): Value {
  const i = w.dims[1]!;
  const inner = i % block === 0 ? block : 1;
  const above = b.builder.producer(w);
  const transposed = above?.node.op === 'Transpose';
  const source = transposed ? above.inputs[0]! : w;
  const perm = transposed ? attributesOf(above.node).ints('perm') : [0, 1, 2, 3];
  const split = source.dims.flatMap((d, axis) =>
    axis === perm[0] ? [d / block, block] : axis === perm[1] ? [d / inner, inner] : [d],
  );
  // Where each axis of `w` begins after the split.
  const [o, c, y, x] = perm.map((axis) => axis + [perm[0]!, perm[1]!].filter((a) => a < axis).length) as [
    number,
    number,
    number,
    number,
  ];
  return b.reshape(b.transpose(b.reshape(source, split), [o, c, y, x, c + 1, o + 1]), w.dims);
}
