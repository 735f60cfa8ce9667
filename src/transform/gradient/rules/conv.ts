import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { convInputGradient } from '../conv-input.ts';
import { convWeightGradient } from '../conv-weight.ts';
import { defineRule } from '../rule.ts';
import { windowOf } from '../window.ts';

/**
 * `y[n,o] = Σ_i w[o,i] ⋆ x[n,i] + bias[o]`: the input's gradient is the correlation with flipped, transposed kernels; the
 * weights' gradient correlates input with `g`; the bias' sums `g` over batch and space.
 */
export const conv = defineRule({
  op: 'Conv',
  since: 7,
  note: 'x̄ = g ⋆ flip(wᵀ) (sub-pixel phases for strides), w̄ = g · im2col(x)ᵀ, b̄ = Σ g; any rank, groups, dilations, pads',
  perSample: true,
  grad: ({ b, attrs, input, inputs, outGrads: [g], needs, perSample }) => {
    const x = input(0);
    const w = input(1);
    const spatial = x.dims.slice(2);
    const window = windowOf(attrs, spatial, w.dims.slice(2));
    const group = attrs.int('group', 1);
    return [
      needs[0] ? convInputGradient(b, g!, w, x.dims, window, group) : null,
      needs[1] ? convWeightGradient(b, g!, x, w.dims, window, group, perSample(1)) : null,
      ...(inputs.length > 2 ? [needs[2] ? biasGradient(b, g!, perSample(2)) : null] : []),
    ];
  },
});

/** `Σ g` over space and, unless per sample, over the batch. */
export function biasGradient(b: Ops, g: Value, perSample: boolean): Value {
  const spatial = g.dims.slice(2).map((_, i) => i + 2);
  return b.sum(g, perSample ? spatial : [0, ...spatial]);
}
