import { defineRule } from '../rule.ts';

/** Running sums along an axis: `x̄` is the running sum of `g` the other way round. */
export const cumSum = defineRule({
  op: 'CumSum',
  since: 11,
  note: 'x̄ = the running sum of g the other way round',
  grad: ({ b, attrs, input, outGrads: [g] }) => [
    b.node('CumSum', [g!, input(1)], {
      exclusive: attrs.int('exclusive', 0),
      reverse: attrs.int('reverse', 0) === 0 ? 1 : 0,
    }),
  ],
});
