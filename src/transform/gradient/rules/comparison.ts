import { isFloat } from '../../../onnx/dtype.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { defineRule, type GradientRule } from '../rule.ts';
import { unaryRule } from './unary.ts';

/**
 * `z = x > y` and the like. Zero; straight-through, where the bool becomes a number again, as that number is
 * `(sign(x − y) + 1) / 2`, whose sign passes straight through: half of `g` where `|x − y| ≤ 1` (Hubara et al. 2016).
 */
function comparison(op: string, since: number, direction: 1 | -1): GradientRule {
  const [ofX, ofY] = direction === 1 ? ['g/2', '−g/2'] : ['−g/2', 'g/2'];
  return defineRule({
    op,
    since,
    note: `zero; with straight-through rounding x̄ = Σ_b ${ofX} and ȳ = Σ_b ${ofY} where |x − y| ≤ 1`,
    grad: ({ b, input, outGrads: [g], needs, options, unbroadcast }) => {
      if (!g || options.rounding !== 'straight-through') return [null, null];
      const gap = b.sub(b.cast(input(0), g.dtype), b.cast(input(1), g.dtype));
      const near = b.compare('LessOrEqual', b.unary('Abs', gap), 1);
      const typed = (v: Value, i: number) => (isFloat(input(i).dtype) ? b.cast(v, input(i).dtype) : v);
      const share = (factor: number, i: number) =>
        typed(unbroadcast(b.where(near, b.mul(g, factor), 0), i), i);
      return [needs[0] ? share(direction / 2, 0) : null, needs[1] ? share(-direction / 2, 1) : null];
    },
  });
}

export const greater = comparison('Greater', 9, 1);
export const greaterOrEqual = comparison('GreaterOrEqual', 12, 1);
export const less = comparison('Less', 9, -1);
export const lessOrEqual = comparison('LessOrEqual', 12, -1);

/** `y = ¬x`: `x̄ = −g`, of a bool that stands for 0 and 1. */
export const not = unaryRule('Not', 1, 'x̄ = −g, where a gradient comes back to it', ({ b, g }) => b.neg(g));
