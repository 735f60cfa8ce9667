import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { defineRule } from '../rule.ts';
import { spreadWindows } from '../spread-windows.ts';
import { windowOf } from '../window.ts';

/** `y = (Σ |x|ᵖ)^(1/p)` of each window. */
export const lpPool = defineRule({
  op: 'LpPool',
  since: 2,
  note: 'x̄ = sign(x) |x|^(p−1) ⊙ g y^(1−p) spread over each window; zero where y is',
  grad: ({ b, attrs, input, outputs: [y], outGrads: [g] }) => {
    const x = input(0);
    const p = attrs.int('p', 2);
    const window = windowOf(attrs, x.dims.slice(2), attrs.ints('kernel_shape'));
    return [b.mul(spreadWindows(b, outerSlope(b, g!, y!, p), x.dims, window), innerSlope(b, x, p))];
  },
});

/** `y = (Σ |x|ᵖ)^(1/p)` over space. */
export const globalLpPool = defineRule({
  op: 'GlobalLpPool',
  since: 2,
  note: 'x̄ = sign(x) |x|^(p−1) ⊙ g y^(1−p); zero where y is',
  grad: ({ b, attrs, input, outputs: [y], outGrads: [g] }) => {
    const p = attrs.int('p', 2);
    return [b.mul(innerSlope(b, input(0), p), outerSlope(b, g!, y!, p))];
  },
});

/** `g y^(1 − p)`, zero where `y` is zero. */
function outerSlope(b: Ops, g: Value, y: Value, p: number): Value {
  if (p === 1) return g;
  const some = b.compare('Greater', y, 0);
  const base = b.where(some, y, 1);
  return b.where(some, b.div(g, p === 2 ? base : b.pow(base, p - 1)), 0);
}

/** `sign(x) |x|^(p − 1)` */
function innerSlope(b: Ops, x: Value, p: number): Value {
  if (p === 2) return x;
  return p === 1 ? b.unary('Sign', x) : b.mul(b.unary('Sign', x), b.pow(b.unary('Abs', x), p - 1));
}
