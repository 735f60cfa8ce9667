import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount, numbersOf } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { defineRule } from '../rule.ts';

/**
 * `z = xʸ`: `x̄ = Σ_b(g ⊙ y ⊙ xʸ⁻¹)`, exactly zero where `y = 0` (also at `x = 0`, where `xʸ⁻¹` is infinite);
 * `ȳ = Σ_b(g ⊙ z ⊙ ln x)`, zero where `x ≤ 0`: at zero that is the limit, and a negative base has real powers only at
 * single exponents, so that no derivative exists there.
 */
export const pow = defineRule({
  op: 'Pow',
  since: 13,
  note: 'x̄ = Σ_b(g ⊙ y ⊙ xʸ⁻¹), 0 where y = 0; ȳ = Σ_b(g ⊙ z ⊙ ln x), 0 where x ≤ 0',
  perSample: true,
  grad: ({ b, input, outputs: [z], outGrads: [g], needs, unbroadcast }) => {
    const x = input(0);
    const y = b.cast(input(1), x.dtype);
    const slope = needs[0] ? baseSlope(b, x, y, z!) : null;
    const baseGrad = slope === null ? null : slope === 1 ? g! : b.mul(g!, slope);
    const logarithm = () => b.unary('Log', b.where(b.compare('Greater', x, 0), x, 1));
    return [
      baseGrad && unbroadcast(baseGrad, 0),
      needs[1] ? b.cast(unbroadcast(b.mul(g!, b.mul(z!, logarithm())), 1), input(1).dtype) : null,
    ];
  },
});

/** `y xʸ⁻¹`; constant exponents that models use get the cheap forms; `null` is zero. */
function baseSlope(b: Ops, x: Value, y: Value, z: Value): Value | 1 | null {
  const exponent = y.data && elementCount(y.dims) === 1 ? numbersOf(y.data)[0] : undefined;
  if (exponent === 0) return null;
  if (exponent === 1) return 1;
  if (exponent === 2) return b.mul(x, 2);
  if (exponent === 3) return b.mul(b.mul(x, x), 3);
  if (exponent === 0.5) return b.div(0.5, z);
  if (exponent !== undefined) return b.mul(b.pow(x, exponent - 1), exponent);
  return b.where(b.compare('Equal', y, 0), 0, b.mul(y, b.pow(x, b.sub(y, 1))));
}

/**
 * `z = x mod y`: `x̄ = Σ_b g`, `ȳ = −Σ_b(g ⊙ q)` with the whole quotient `q = (x − z)/y`, which is right for both signs
 * of `fmod`. Where `x` is a multiple of `y` the function jumps; there it is the slope beside the jump.
 */
export const mod = defineRule({
  op: 'Mod',
  since: 10,
  note: 'x̄ = Σ_b g, ȳ = −Σ_b(g ⊙ (x − z)/y)',
  perSample: true,
  grad: ({ b, input, outputs: [z], outGrads: [g], needs, unbroadcast }) => {
    const quotient = () => b.unary('Round', b.div(b.sub(input(0), z!), input(1)));
    return [
      needs[0] ? unbroadcast(g!, 0) : null,
      needs[1] ? b.neg(unbroadcast(b.mul(g!, quotient()), 1)) : null,
    ];
  },
});
