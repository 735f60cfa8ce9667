import { attributesOf } from '../../onnx/attributes.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import { INTERNAL_DOMAIN } from '../../onnx/internal-operators.ts';
import { windowOf } from '../gradient/window.ts';
import type { Ops } from '../ops.ts';
import { defineLowering } from './rule.ts';

/** Up to so many input channels (the image itself), the corners' gradients cost less one by one than put together. */
const FEW_CHANNELS = 4;

/**
 * `MaxPool(2×2, stride 2)` over a convolution with stride 1, with or without a ReLU between: the four elements of the windows are
 * computed as four convolutions with stride 2, one for each corner, of which the maximum is taken. The same
 * multiplications, but the large map between convolution and pooling never exists, and the gradient of the pooling becomes
 * element-wise work on small maps in one layout (measured on 250×16×28×28: 24 ms of splitting, comparing and
 * interleaving become 4 ms). Backwards, corners of trained weights are put together again, because one gradient of the weights
 * is quicker than four. ReLU and maximum commute, so ReLU comes last, on a quarter of the elements. Where something else
 * reads the convolution too (a U-Net's skip connection), it is computed for that once more.
 */
export const pooledConvolution = defineLowering({
  op: 'MaxPool',
  note: '2×2 pooling of a stride-1 convolution becomes the maximum of four strided ones',
  lower({ b, attrs, outputs, input }) {
    const pooled = input(0);
    const two = (name: string) => attrs.ints(name, [1, 1]).every((v) => v === 2);
    if (
      outputs !== 1 ||
      pooled.dims.length !== 4 ||
      pooled.dtype !== 'float32' ||
      !two('kernel_shape') ||
      !two('strides')
    )
      return undefined;
    if (
      attrs.ints('pads', []).some((p) => p !== 0) ||
      attrs.ints('dilations', []).some((d) => d !== 1) ||
      attrs.string('auto_pad', 'NOTSET') !== 'NOTSET'
    )
      return undefined;
    const above = b.builder.producer(pooled);
    const rectified = above?.node.op === 'Relu' && above.node.domain === '';
    const conv = rectified ? b.builder.producer(above.inputs[0]!) : above;
    if (conv?.node.op !== 'Conv' || conv.node.domain !== '') return undefined;
    const [x, w] = conv.inputs;
    const convolution = attributesOf(conv.node);
    const window = windowOf(convolution, x!.dims.slice(2), w!.dims.slice(2));
    const out = pooled.dims.slice(2).map((d) => Math.floor(d / 2));
    if (window.strides.some((s) => s !== 1) || out.some((d) => d === 0) || attrs.int('ceil_mode', 0) !== 0)
      return undefined;
    const corners = [0, 1].flatMap((i) =>
      [0, 1].map((j) => corner(b, conv.inputs as Value[], [i, j], out, window, convolution.int('group', 1))),
    );
    const whole = !w!.data && x!.dims[1]! > FEW_CHANNELS;
    const best = b.node(
      whole ? 'PooledMax' : 'FirstMax',
      whole ? [...corners, conv.outputs[0]!] : corners,
      {},
      { domain: INTERNAL_DOMAIN, types: [{ dtype: 'float32', dims: corners[0]!.dims }] },
    );
    return [rectified ? b.node('Relu', [best]) : best];
  },
});

/** The convolution at positions `2q + at` of each axis. */
function corner(
  b: Ops,
  [x, w, bias]: readonly Value[],
  at: readonly number[],
  out: readonly number[],
  { kernel, dilations, before }: ReturnType<typeof windowOf>,
  group: number,
): Value {
  const pads = { before: [0, 0], after: [0, 0] };
  let view = x!;
  for (const [a, offset] of at.entries()) {
    const start = offset - before[a]!;
    const end = 2 * (out[a]! - 1) + offset - before[a]! + dilations[a]! * (kernel[a]! - 1) + 1;
    const length = x!.dims[2 + a]!;
    pads.before[a] = Math.max(0, -start);
    pads.after[a] = Math.max(0, end - length);
    // Input past the last window is left out by the strided convolution itself unless it would make one window more.
    const spare = length - end;
    if (start > 0 || spare > 1) view = b.slice(view, 2 + a, Math.max(0, start), Math.min(length, end));
  }
  const inputs = bias ? [view, w!, bias] : [view, w!];
  return b.node('Conv', inputs, {
    kernel_shape: kernel,
    strides: [2, 2],
    dilations,
    pads: [...pads.before, ...pads.after],
    group,
  });
}
