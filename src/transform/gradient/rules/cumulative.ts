import type { Attributes } from '../../../onnx/attributes.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { defineRule } from '../rule.ts';

/** The running sum of `v` against the direction of the node that `attrs` belong to, with the same `exclusive`. */
function against(b: Ops, attrs: Attributes, v: Value, axis: Value): Value {
  return b.node('CumSum', [v, axis], {
    exclusive: attrs.int('exclusive', 0),
    reverse: attrs.int('reverse', 0) === 0 ? 1 : 0,
  });
}

/** Running sums along an axis: `x̄` is the running sum of `g` the other way round. */
export const cumSum = defineRule({
  op: 'CumSum',
  since: 11,
  note: 'x̄ = the running sum of g the other way round',
  grad: ({ b, attrs, input, outGrads: [g] }) => [against(b, attrs, g!, input(1))],
});

/**
 * Running products along an axis: with `S` the running sum the other way round, `x̄ = S(g ⊙ y) / x` up to the first zero of
 * a line. At that zero it is `S(g ⊙ y′)` with the products `y′` that leave the zero out; behind it every product
 * holds the zero, and the gradient is zero.
 */
export const cumProd = defineRule({
  op: 'CumProd',
  since: 26,
  note: 'x̄ = the running sum of g ⊙ y the other way round, over x; exact with zeros',
  grad: ({ b, attrs, input, outputs: [y], outGrads: [g] }) => {
    const [x, axis] = [input(0), input(1)];
    const exclusive = attrs.int('exclusive', 0);
    const reverse = attrs.int('reverse', 0);
    const zero = b.compare('Equal', x, 0);
    const zeros = b.node('CumSum', [b.cast(zero, x.dtype), axis], { reverse });
    const first = b.node('And', [zero, b.compare('Equal', zeros, 1)]);
    const without = b.node('CumProd', [b.where(first, 1, x), axis], { exclusive, reverse });
    const before = b.div(against(b, attrs, b.mul(g!, y!), axis), b.where(zero, 1, x));
    const behind = b.where(first, against(b, attrs, b.mul(g!, without), axis), 0);
    return [b.where(b.compare('Equal', zeros, 0), before, behind)];
  },
});
