import { saturatingRule, unaryRule } from './unary.ts';

/** `y = |x|`: `x̄ = g ⊙ sign(x)`, zero at zero. */
export const abs = unaryRule('Abs', 6, 'x̄ = g ⊙ sign(x); 0 at 0', ({ b, x, g }) =>
  b.mul(g, b.unary('Sign', x)),
);

/** `y = √x`: `x̄ = g / 2y`, infinite at zero. */
export const sqrt = unaryRule('Sqrt', 6, 'x̄ = g / 2y; infinite at 0', ({ b, y, g }) =>
  b.div(b.mul(g, 0.5), y),
);

/** `y = 1/x`: `x̄ = −g ⊙ y²`. */
export const reciprocal = unaryRule('Reciprocal', 6, 'x̄ = −g ⊙ y²', ({ b, y, g }) =>
  b.neg(b.mul(g, b.mul(y, y))),
);

/** `y = eˣ`: `x̄ = g ⊙ y`. */
export const exp = unaryRule('Exp', 6, 'x̄ = g ⊙ y', ({ b, y, g }) => b.mul(g, y));

/** `y = ln x`: `x̄ = g / x`. */
export const log = unaryRule('Log', 6, 'x̄ = g / x', ({ b, x, g }) => b.div(g, x));

/** `y = erf(x)`: `x̄ = g ⊙ 2/√π · exp(−x²)`. */
export const erf = saturatingRule('Erf', 9, 'x̄ = g ⊙ 2/√π · exp(−x²)', ({ b, x, g }) =>
  b.mul(g, b.mul(b.unary('Exp', b.neg(b.mul(x, x))), 2 / Math.sqrt(Math.PI))),
);
