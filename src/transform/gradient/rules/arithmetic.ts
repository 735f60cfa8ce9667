import { defineRule } from '../rule.ts';

/** `z = x + y`: `∂L/∂x = Σ_b g`, `∂L/∂y = Σ_b g`; `Σ_b` sums the axes that broadcasting stretched. */
export const add = defineRule({
  op: 'Add',
  since: 7,
  note: 'x̄ = Σ_b g, ȳ = Σ_b g',
  perSample: true,
  grad: ({ outGrads: [g], needs, unbroadcast }) => needs.map((need, i) => (need ? unbroadcast(g!, i) : null)),
});

/** `z = x − y`: `∂L/∂x = Σ_b g`, `∂L/∂y = −Σ_b g`. */
export const sub = defineRule({
  op: 'Sub',
  since: 7,
  note: 'x̄ = Σ_b g, ȳ = −Σ_b g',
  perSample: true,
  grad: ({ b, outGrads: [g], needs, unbroadcast }) => [
    needs[0] ? unbroadcast(g!, 0) : null,
    needs[1] ? b.neg(unbroadcast(g!, 1)) : null,
  ],
});

/** `z = x ⊙ y`: `∂L/∂x = Σ_b(g ⊙ y)`, `∂L/∂y = Σ_b(g ⊙ x)`. */
export const mul = defineRule({
  op: 'Mul',
  since: 7,
  note: 'x̄ = Σ_b(g ⊙ y), ȳ = Σ_b(g ⊙ x)',
  perSample: true,
  grad: ({ b, input, outGrads: [g], needs, unbroadcast }) => [
    needs[0] ? unbroadcast(b.mul(g!, input(1)), 0) : null,
    needs[1] ? unbroadcast(b.mul(g!, input(0)), 1) : null,
  ],
});

/** `z = x / y`: `∂L/∂x = Σ_b(g / y)`, `∂L/∂y = −Σ_b(g ⊙ z / y)`. */
export const div = defineRule({
  op: 'Div',
  since: 7,
  note: 'x̄ = Σ_b(g / y), ȳ = −Σ_b(g ⊙ z / y)',
  perSample: true,
  grad: ({ b, input, outputs: [z], outGrads: [g], needs, unbroadcast }) => {
    const scaled = b.div(g!, input(1));
    return [
      needs[0] ? unbroadcast(scaled, 0) : null,
      needs[1] ? b.neg(unbroadcast(b.mul(scaled, z!), 1)) : null,
    ];
  },
});

/** `z = −x`: `∂L/∂x = −g`. */
export const neg = defineRule({
  op: 'Neg',
  since: 7,
  note: 'x̄ = −g',
  grad: ({ b, outGrads: [g] }) => [b.neg(g!)],
});
