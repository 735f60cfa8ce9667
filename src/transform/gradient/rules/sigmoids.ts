import { float } from '../../../onnx/attributes.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { saturatingRule, unaryRule } from './unary.ts';

/** `y = 1/(1 + e⁻ˣ)`: `x̄ = g ⊙ y ⊙ (1 − y)`. */
export const sigmoid = saturatingRule('Sigmoid', 6, 'x̄ = g ⊙ y ⊙ (1 − y)', ({ b, y, g }) =>
  b.mul(b.mul(g, y), b.sub(1, y)),
);

/** `y = clamp(αx + β, 0, 1)`: `x̄ = αg` where `0 < y < 1`. */
export const hardSigmoid = unaryRule('HardSigmoid', 6, 'x̄ = αg where 0 < y < 1', ({ b, y, g, attrs }) =>
  b.where(inside(b, y, 0, 1), b.mul(g, attrs.float('alpha', 0.2)), 0),
);

/** `y = x · clamp(x/6 + 1/2, 0, 1)`: `x̄ = 0` up to −3, `g` from 3 on, between them `g ⊙ (x/3 + 1/2)`. */
export const hardSwish = unaryRule(
  'HardSwish',
  14,
  'x̄ = g ⊙ (x/3 + 1/2) between ±3, 0 below, g above',
  ({ b, x, g }) => {
    const slope = b.add(b.mul(x, 1 / 3), 0.5);
    const above = b.cast(b.compare('GreaterOrEqual', x, 3), x.dtype);
    return b.mul(g, b.where(inside(b, x, -3, 3), slope, above));
  },
);

/** `y = ln(1 + eˣ)`: `x̄ = g ⊙ σ(x)`. */
export const softplus = unaryRule('Softplus', 1, 'x̄ = g ⊙ σ(x)', ({ b, x, g }) =>
  b.mul(g, b.unary('Sigmoid', x)),
);

/** `y = x / (1 + |x|)`: `x̄ = g / (1 + |x|)²`. */
export const softsign = saturatingRule('Softsign', 1, 'x̄ = g / (1 + |x|)²', ({ b, x, g }) => {
  const d = b.add(b.unary('Abs', x), 1);
  return b.div(g, b.mul(d, d));
});

/** `y = x · Φ(x)`, or the tanh approximation of it (Hendrycks and Gimpel 2016). */
export const gelu = unaryRule(
  'Gelu',
  20,
  'x̄ = g ⊙ (Φ(x) + x ⊙ φ(x)); the tanh form likewise',
  ({ b, x, g, attrs }) => {
    if (attrs.string('approximate', 'none') === 'tanh') return b.mul(g, tanhGeluSlope(b, x));
    // φ(x) x = u e^(ln(1/√π) − u²) with u = x / √2, so that the scale costs no pass of its own.
    const u = b.mul(x, Math.SQRT1_2);
    const phi = b.node('HardSigmoid', [b.unary('Erf', u)], { alpha: float(0.5), beta: float(0.5) });
    const density = b.unary('Exp', b.sub(-0.5 * Math.log(Math.PI), b.mul(u, u)));
    return b.mul(g, b.add(phi, b.mul(u, density)));
  },
);

/** `y = x(1 + t)/2`, `t = tanh(c(x + ax³))`: `∂y/∂x = (1 + t)/2 + x(1 − t²)/2 · c(1 + 3ax²)`. */
function tanhGeluSlope(b: Ops, x: Value): Value {
  const c = Math.sqrt(2 / Math.PI);
  const a = 0.044715;
  const square = b.mul(x, x);
  const t = b.unary('Tanh', b.mul(x, b.add(b.mul(square, c * a), c)));
  const inner = b.mul(x, b.add(b.mul(square, 3 * a * c), c));
  return b.mul(b.add(b.add(t, 1), b.mul(inner, b.sub(1, b.mul(t, t)))), 0.5);
}

/** `y = x · t`, `t = tanh(softplus(x))`: `x̄ = g ⊙ (t + x ⊙ σ(x) ⊙ (1 − t²))`. */
export const mish = unaryRule(
  'Mish',
  18,
  'x̄ = g ⊙ (t + x ⊙ σ(x) ⊙ (1 − t²)), t = tanh(softplus x)',
  ({ b, x, g }) => {
    const t = b.unary('Tanh', b.unary('Softplus', x));
    const rest = b.mul(b.mul(x, b.unary('Sigmoid', x)), b.sub(1, b.mul(t, t)));
    return b.mul(g, b.add(t, rest));
  },
);

/** `y = x · σ(αx)`: `x̄ = g ⊙ (s + α y ⊙ (1 − s))`, `s = σ(αx)`. */
export const swish = unaryRule(
  'Swish',
  24,
  'x̄ = g ⊙ (s + αy ⊙ (1 − s)), s = σ(αx)',
  ({ b, x, y, g, attrs }) => {
    const alpha = attrs.float('alpha', 1);
    const s = b.unary('Sigmoid', b.mul(x, alpha));
    return b.mul(g, b.add(s, b.mul(b.mul(y, alpha), b.sub(1, s))));
  },
);

/** Whether `low < v < high`. */
function inside(b: Ops, v: Value, low: number, high: number): Value {
  return b.node('And', [b.compare('Greater', v, low), b.compare('Less', v, high)]);
}
