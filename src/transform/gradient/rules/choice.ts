import type { Value } from '../../../onnx/graph-builder.ts';
import { defineRule, type GradientRule } from '../rule.ts';

/**
 * `z = condition ? x : y`: each branch gets `g` where it was taken. A condition between two constants that is to pass a gradient
 * straight through gets what the other choice would change.
 */
export const where = defineRule({
  op: 'Where',
  since: 9,
  note: 'x̄ = Σ_b g where the condition holds, ȳ = Σ_b g where not',
  perSample: true,
  grad: ({ b, input, outGrads: [g], needs, unbroadcast }) => [
    needs[0] ? unbroadcast(b.mul(g!, b.sub(input(1), input(2))), 0) : null,
    needs[1] ? unbroadcast(b.where(input(0), g!, 0), 1) : null,
    needs[2] ? unbroadcast(b.where(input(0), 0, g!), 2) : null,
  ],
});

/** `Max` or `Min` of several inputs; inputs that tie share the gradient evenly, as in PyTorch. */
function extremum(op: 'Max' | 'Min'): GradientRule {
  return defineRule({
    op,
    since: 8,
    note: 'each input gets Σ_b g where it is the result; ties share evenly',
    perSample: true,
    grad: ({ b, input, inputs, outputs: [z], outGrads: [g], needs, unbroadcast }) => {
      if (inputs.length === 1) return [g!];
      const chosen = inputs.map((_, i) => b.compare('Equal', input(i), z!));
      const counts = chosen.map((c) => b.cast(c, z!.dtype)).reduce((sum, c) => b.add(sum, c));
      const share = b.div(g!, counts);
      return needs.map((need, i) => (need ? unbroadcast(b.where(chosen[i]!, share, 0), i) : null));
    },
  });
}

export const max = extremum('Max');
export const min = extremum('Min');

/**
 * `y = min(max(x, low), high)`: `x̄ = g` where `x` was not clipped, both bounds included (as in PyTorch); the bounds get the
 * sum of `g` over what they clipped.
 */
export const clip = defineRule({
  op: 'Clip',
  since: 11,
  note: 'x̄ = g where low ≤ x ≤ high; a bound gets the sum of g over what it clipped',
  grad: ({ b, input, inputs, outputs: [y], outGrads: [g], needs, unbroadcast }) => {
    const x = input(0);
    const [, low, high] = inputs;
    const both = (op: 'And' | 'Or', p: Value, q: Value) => b.node(op, [p, q]);
    const clippedLow = () => {
      const below = b.compare('Less', x, low!);
      return high ? both('And', below, b.compare('Less', low!, high)) : below;
    };
    const clippedHigh = () => {
      const above = b.compare('Greater', x, high!);
      return low ? both('Or', above, b.compare('GreaterOrEqual', low, high!)) : above;
    };
    return [
      needs[0] ? b.where(b.compare('Equal', x, y!), g!, 0) : null,
      needs[1] ? unbroadcast(b.where(clippedLow(), g!, 0), 1) : null,
      needs[2] ? unbroadcast(b.where(clippedHigh(), g!, 0), 2) : null,
    ];
  },
});
