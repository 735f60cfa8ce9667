import { defineRule, type GradientRule } from '../rule.ts';

/** Operators that only name the same elements, in the same order, by other axes: `x̄` is `g` in the shape of `x`. */
function sameElements(op: string, since: number): GradientRule {
  return defineRule({
    op,
    since,
    note: 'x̄ = g in the shape of x',
    grad: ({ b, input, inputs, outGrads: [g] }) =>
      inputs.map((_, i) => (i === 0 ? b.reshape(g!, input(0).dims) : null)),
  });
}

export const flatten = sameElements('Flatten', 9);
export const reshape = sameElements('Reshape', 5);
export const squeeze = sameElements('Squeeze', 13);
export const unsqueeze = sameElements('Unsqueeze', 13);

/** `y = x` with permuted axes: `x̄` is `g` with the inverse permutation. */
export const transpose = defineRule({
  op: 'Transpose',
  since: 1,
  note: 'x̄ = g with the inverse permutation',
  grad: ({ b, attrs, input, outGrads: [g] }) => {
    const rank = input(0).dims.length;
    const perm = attrs.ints(
      'perm',
      Array.from({ length: rank }, (_, i) => rank - 1 - i),
    );
    const inverse = new Array<number>(rank);
    for (const [i, p] of perm.entries()) inverse[p] = i;
    return [b.transpose(g!, inverse)];
  },
});

/** `y = x` broadcast to a shape: `x̄ = Σ_b g` over the axes that broadcasting stretched. */
export const expand = defineRule({
  op: 'Expand',
  since: 8,
  note: 'x̄ = Σ_b g over the stretched axes',
  perSample: true,
  grad: ({ outGrads: [g], unbroadcast }) => [unbroadcast(g!, 0), null],
});
