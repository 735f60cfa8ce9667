import { defineRule } from '../rule.ts';

/** `z = Σ_i x_i`: every input gets `Σ_b g`. */
export const sum = defineRule({
  op: 'Sum',
  since: 8,
  note: 'each input gets Σ_b g',
  perSample: true,
  grad: ({ outGrads: [g], needs, unbroadcast }) => needs.map((need, i) => (need ? unbroadcast(g!, i) : null)),
});

/** `z = (1/n) Σ_i x_i`: every input gets `Σ_b g / n`. */
export const mean = defineRule({
  op: 'Mean',
  since: 8,
  note: 'each of the n inputs gets Σ_b g / n',
  perSample: true,
  grad: ({ b, inputs, outGrads: [g], needs, unbroadcast }) => {
    const share = b.mul(g!, 1 / inputs.length);
    return needs.map((need, i) => (need ? unbroadcast(share, i) : null));
  },
});
