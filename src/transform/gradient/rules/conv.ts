import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount, tensorFrom } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { convInputGradient } from '../conv-input.ts';
import { convWeightGradient, rowsOf } from '../conv-weight.ts';
import { defineRule } from '../rule.ts';
import { windowOf } from '../window.ts';

/**
 * `y[n,o] = Σ_i w[o,i] ⋆ x[n,i] + bias[o]`: the input's gradient is the correlation with flipped, transposed kernels; the
 * weights' gradient correlates input with `g`; the bias' sums `g` over batch and space.
 */
export const conv = defineRule({
  op: 'Conv',
  since: 7,
  note: 'x̄ = g ⋆ flip(wᵀ) (sub-pixel phases for strides), w̄ = Σ rows(x)ᵀ · g, channels last, b̄ = Σ g; any rank, groups, dilations, pads',
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

/**
 * `Σ g` over space and, unless per sample, over the batch, then as a product of ones with the rows that the weights' gradient reads
 * too (measured, 64×64×32×32: 0.7 ms against 2.3 for a sum over the image).
 */
export function biasGradient(b: Ops, g: Value, perSample: boolean): Value {
  const spatial = g.dims.slice(2).map((_, i) => i + 2);
  if (perSample || elementCount(g.dims) === 0) return b.sum(g, perSample ? spatial : [0, ...spatial]);
  const rows = rowsOf(b, g);
  const ones = b.builder.constant(tensorFrom(g.dtype, [1, rows.dims[1]!], new Array(rows.dims[1]!).fill(1)));
  const sums = b.sum(b.matmul(ones, rows), [0, 1]);
  return g.dims.length === 4 && g.dtype === 'float32' ? b.builder.offer(sums, 'ChannelSums', [g]) : sums;
}
