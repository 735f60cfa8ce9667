import { GlacisError } from '../../../core/error.ts';
import type { Attributes } from '../../../onnx/attributes.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import { convWeightGradient } from '../conv-weight.ts';
import { defineRule } from '../rule.ts';
import type { Window } from '../window.ts';
import { biasGradient } from './conv.ts';

/**
 * `y` = the transpose of the convolution with `w`, `[I, O / group, K…]`: the input's gradient is that convolution of `g`,
 * the weights' that of a convolution whose input is `g` and whose cotangent is `x`.
 */
export const convTranspose = defineRule({
  op: 'ConvTranspose',
  since: 11,
  note: 'x̄ = g ⋆ w, w̄ = x · im2col(g)ᵀ, b̄ = Σ g; groups, dilations, strides, output_padding, output_shape, auto_pad',
  perSample: true,
  grad: ({ b, attrs, input, inputs, outGrads: [g], needs, perSample }) => {
    const x = input(0);
    const w = input(1);
    const group = attrs.int('group', 1);
    const window = transposedWindow(attrs, x.dims.slice(2), w.dims.slice(2), g!.dims.slice(2));
    const inputGradient = () => {
      if (elementCount(x.dims) === 0 || elementCount(g!.dims) === 0) return b.full(x.dims, 0, x.dtype);
      const cropped = b.pad(
        g!,
        g!.dims.map(() => 0),
        [0, 0, ...window.after.map((p) => Math.min(p, 0))],
      );
      const { kernel, strides, dilations, before, after } = window;
      const pads = [...before, ...after.map((p) => Math.max(p, 0))];
      return b.node('Conv', [cropped, w], { kernel_shape: kernel, strides, dilations, pads, group });
    };
    return [
      needs[0] ? inputGradient() : null,
      needs[1] ? convWeightGradient(b, x, g!, w.dims, window, group, perSample(1)) : null,
      ...(inputs.length > 2 ? [needs[2] ? biasGradient(b, g!, perSample(2)) : null] : []),
    ];
  },
});

/**
 * The window of the convolution whose transpose this is, from `out` to `spatial`. `after` is what makes the sizes meet
 * exactly, negative where output padding reaches past the last window.
 */
function transposedWindow(
  attrs: Attributes,
  spatial: readonly number[],
  kernel: readonly number[],
  out: readonly number[],
): Window {
  const ones = spatial.map(() => 1);
  const strides = attrs.ints('strides', ones);
  const dilations = attrs.ints('dilations', ones);
  const extra = attrs.ints(
    'output_padding',
    spatial.map(() => 0),
  );
  const autoPad = attrs.string('auto_pad', 'NOTSET');
  const reach = kernel.map((k, a) => strides[a]! * (spatial[a]! - 1) + dilations[a]! * (k - 1) + 1);
  const derived = attrs.has('output_shape') || autoPad.startsWith('SAME');
  const before = derived
    ? reach.map((r, a) => {
        const total = r + extra[a]! - out[a]!;
        if (total < 0) {
          throw new GlacisError(
            'gradient/unsupported',
            `expected windows that cover the output, got axis ${a + 2} of ${out[a]} from ${spatial[a]} by stride ${strides[a]} and kernel ${kernel[a]}`,
          );
        }
        return autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
      })
    : autoPad === 'VALID'
      ? spatial.map(() => 0)
      : attrs.ints('pads', [...ones, ...ones].fill(0)).slice(0, spatial.length);
  return { kernel, strides, dilations, before, after: reach.map((r, a) => r - out[a]! - before[a]!) };
}
