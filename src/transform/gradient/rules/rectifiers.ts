import { defineRule } from '../rule.ts';
import { unaryRule } from './unary.ts';

/** `y = x` above zero, `αx` below: `x̄ = g` or `αg`; `αg` at zero. */
export const leakyRelu = unaryRule('LeakyRelu', 6, 'x̄ = g where x > 0, else αg', ({ b, x, g, attrs }) =>
  b.where(b.compare('Greater', x, 0), g, b.mul(g, attrs.float('alpha', 0.01))),
);

/** `y = x` above zero, `slope ⊙ x` below; the slope broadcasts to `x`. */
export const pRelu = defineRule({
  op: 'PRelu',
  since: 7,
  note: 'x̄ = g where x > 0, else g ⊙ slope; slope gets Σ_b(g ⊙ x) where x ≤ 0',
  perSample: true,
  grad: ({ b, input, outGrads: [g], needs, unbroadcast }) => {
    const positive = b.compare('Greater', input(0), 0);
    return [
      needs[0] ? unbroadcast(b.where(positive, g!, b.mul(g!, input(1))), 0) : null,
      needs[1] ? unbroadcast(b.where(positive, 0, b.mul(g!, input(0))), 1) : null,
    ];
  },
});

/** `y = x` above `α`, else zero. */
export const thresholdedRelu = unaryRule('ThresholdedRelu', 10, 'x̄ = g where x > α', ({ b, x, g, attrs }) =>
  b.where(b.compare('Greater', x, attrs.float('alpha', 1)), g, 0),
);

/** `y = x` above zero, `α(eˣ − 1)` below: there `∂y/∂x = y + α`. */
export const elu = unaryRule('Elu', 6, 'x̄ = g where x > 0, else g ⊙ (y + α)', ({ b, x, y, g, attrs }) =>
  b.mul(g, b.where(b.compare('Greater', x, 0), 1, b.add(y, attrs.float('alpha', 1)))),
);

/** `y = γx` above zero, `γα(eˣ − 1)` below: there `∂y/∂x = y + γα`. */
export const selu = unaryRule('Selu', 6, 'x̄ = γg where x > 0, else g ⊙ (y + γα)', ({ b, x, y, g, attrs }) => {
  const alpha = attrs.float('alpha', 1.6732631921768188);
  const gamma = attrs.float('gamma', 1.0507010221481323);
  return b.mul(g, b.where(b.compare('Greater', x, 0), b.scalar(gamma, x.dtype), b.add(y, gamma * alpha)));
});

/** `y = max(0, x) + min(0, α(exp(x/α) − 1))`: below zero `∂y/∂x = y/α + 1`. */
export const celu = unaryRule('Celu', 12, 'x̄ = g where x > 0, else g ⊙ (y/α + 1)', ({ b, x, y, g, attrs }) =>
  b.mul(g, b.where(b.compare('Greater', x, 0), 1, b.add(b.div(y, attrs.float('alpha', 1)), 1))),
);

/** `y = x ± bias` outside `[−λ, λ]`, zero inside. */
export const shrink = unaryRule('Shrink', 9, 'x̄ = g where |x| > λ', ({ b, x, g, attrs }) =>
  b.where(b.compare('Greater', b.unary('Abs', x), attrs.float('lambd', 0.5)), g, 0),
);
