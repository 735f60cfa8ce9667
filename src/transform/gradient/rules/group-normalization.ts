import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { defineRule, type RuleContext } from '../rule.ts';
import {
  overChannels,
  standardise,
  standardised,
  standardiseGradient,
  sumToChannels,
} from '../standardise.ts';

/** `y = x̂ s + β`, standardised over the channels of a group and space (Wu & He 2018). */
export const groupNormalization = defineRule({
  op: 'GroupNormalization',
  since: 18,
  note: 'x̄ = r (ĝ − mean ĝ − x̂ mean(ĝ x̂)) a group, ĝ = g s; s̄ = Σ g x̂, β̄ = Σ g; scale a channel (21) or a group (18)',
  perSample: true,
  grad: (context) => normaliseGroups(context, context.attrs.int('num_groups')),
});

/** `y = x̂ s + β`, standardised over space for each sample and channel (Ulyanov et al. 2016). */
export const instanceNormalization = defineRule({
  op: 'InstanceNormalization',
  since: 6,
  note: 'x̄ = r (ĝ − mean ĝ − x̂ mean(ĝ x̂)) over space, ĝ = g s; s̄ = Σ g x̂, β̄ = Σ g',
  perSample: true,
  grad: (context) => normaliseGroups(context, context.input(0).dims[1]!),
});

function normaliseGroups(
  { b, attrs, input, outGrads: [g], needs, perSample }: RuleContext,
  groups: number,
): (Value | null)[] {
  const x = input(0);
  const [n, c] = [x.dims[0]!, x.dims[1]!];
  const grouped = [n, groups, elementCount(x.dims.slice(1)) / Math.max(1, groups)];
  const parts = () => standardise(b, b.reshape(x, grouped), [2], attrs.float('epsilon', 1e-5));
  const weighted = () => b.mul(g!, overChannels(b, perChannel(b, input(1), c), x));
  const down = (v: Value, i: number) => {
    const { dims } = input(i);
    const sums = sumToChannels(b, v, input(i), perSample(i));
    if (dims[0] === c) return sums;
    const lead = perSample(i) ? [n] : [];
    return b.sum(b.reshape(sums, [...lead, dims[0]!, c / dims[0]!]), [-1]);
  };
  return [
    needs[0] ? b.reshape(standardiseGradient(b, b.reshape(weighted(), grouped), parts(), [2]), x.dims) : null,
    needs[1] ? down(b.mul(g!, b.reshape(standardised(b, parts()), x.dims)), 1) : null,
    needs[2] ? down(g!, 2) : null,
  ];
}

/** One value a group (opset 18) as one value a channel. */
function perChannel(b: Ops, vector: Value, channels: number): Value {
  const groups = vector.dims[0]!;
  if (groups === channels) return vector;
  return b.reshape(b.expand(b.reshape(vector, [groups, 1]), [groups, channels / groups]), [channels]);
}
