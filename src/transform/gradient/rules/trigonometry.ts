import { saturatingRule, unaryRule } from './unary.ts';

/** `x̄ = g ⊙ cos x`. */
export const sin = unaryRule('Sin', 7, 'x̄ = g ⊙ cos x', ({ b, x, g }) => b.mul(g, b.unary('Cos', x)));

/** `x̄ = −g ⊙ sin x`. */
export const cos = unaryRule('Cos', 7, 'x̄ = −g ⊙ sin x', ({ b, x, g }) => b.neg(b.mul(g, b.unary('Sin', x))));

/** `x̄ = g ⊙ (1 + y²)`. */
export const tan = unaryRule('Tan', 7, 'x̄ = g ⊙ (1 + y²)', ({ b, y, g }) => b.mul(g, b.add(b.mul(y, y), 1)));

/** `x̄ = g / √((1 − x)(1 + x))`: the product keeps its digits near ±1, where `1 − x²` cancels. */
export const asin = unaryRule('Asin', 7, 'x̄ = g / √(1 − x²)', ({ b, x, g }) =>
  b.div(g, b.unary('Sqrt', b.mul(b.sub(1, x), b.add(x, 1)))),
);

/** `x̄ = −g / √((1 − x)(1 + x))`. */
export const acos = unaryRule('Acos', 7, 'x̄ = −g / √(1 − x²)', ({ b, x, g }) =>
  b.neg(b.div(g, b.unary('Sqrt', b.mul(b.sub(1, x), b.add(x, 1))))),
);

/** `x̄ = g / (1 + x²)`. */
export const atan = saturatingRule('Atan', 7, 'x̄ = g / (1 + x²)', ({ b, x, g }) =>
  b.div(g, b.add(b.mul(x, x), 1)),
);

/** `x̄ = g ⊙ cosh x`. */
export const sinh = unaryRule('Sinh', 9, 'x̄ = g ⊙ cosh x', ({ b, x, g }) => b.mul(g, b.unary('Cosh', x)));

/** `x̄ = g ⊙ sinh x`. */
export const cosh = unaryRule('Cosh', 9, 'x̄ = g ⊙ sinh x', ({ b, x, g }) => b.mul(g, b.unary('Sinh', x)));

/** `x̄ = g ⊙ (1 − y²)`. */
export const tanh = saturatingRule('Tanh', 6, 'x̄ = g ⊙ (1 − y²)', ({ b, y, g }) =>
  b.mul(g, b.sub(1, b.mul(y, y))),
);

/** `x̄ = g / √(x² + 1)`. */
export const asinh = unaryRule('Asinh', 9, 'x̄ = g / √(x² + 1)', ({ b, x, g }) =>
  b.div(g, b.unary('Sqrt', b.add(b.mul(x, x), 1))),
);

/** `x̄ = g / √((x − 1)(x + 1))`. */
export const acosh = unaryRule('Acosh', 9, 'x̄ = g / √(x² − 1)', ({ b, x, g }) =>
  b.div(g, b.unary('Sqrt', b.mul(b.sub(x, 1), b.add(x, 1)))),
);

/** `x̄ = g / ((1 − x)(1 + x))`. */
export const atanh = unaryRule('Atanh', 9, 'x̄ = g / (1 − x²)', ({ b, x, g }) =>
  b.div(g, b.mul(b.sub(1, x), b.add(x, 1))),
);
