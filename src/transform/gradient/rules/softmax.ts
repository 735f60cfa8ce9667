import { unaryRule } from './unary.ts';

/** `y = softmax(x)` along `axis`: `x̄ = y ⊙ (g − Σ g ⊙ y)`. */
export const softmax = unaryRule('Softmax', 13, 'x̄ = y ⊙ (g − Σ g ⊙ y)', ({ b, y, g, attrs }) => {
  const axis = attrs.int('axis', -1);
  return b.mul(y, b.sub(g, b.sum(b.mul(g, y), [axis], true)));
});

/** `y = log softmax(x)` along `axis`: `x̄ = g − eʸ ⊙ Σ g`. */
export const logSoftmax = unaryRule('LogSoftmax', 13, 'x̄ = g − eʸ ⊙ Σ g', ({ b, y, g, attrs }) =>
  b.sub(g, b.mul(b.unary('Exp', y), b.sum(g, [attrs.int('axis', -1)], true))),
);

/** One at the first largest element along `axis`: zero; straight-through it has the gradient of `Softmax`. */
export const hardmax = unaryRule(
  'Hardmax',
  13,
  'zero; with straight-through rounding the gradient of Softmax',
  ({ b, x, g, attrs, options }) => {
    if (options.rounding !== 'straight-through') return null;
    const axis = attrs.int('axis', -1);
    const soft = b.node('Softmax', [x], { axis });
    return b.mul(soft, b.sub(g, b.sum(b.mul(g, soft), [axis], true)));
  },
);
