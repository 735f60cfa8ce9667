import { GlacisError } from '../../../core/error.ts';
import { float } from '../../../onnx/attributes.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { defineRule } from '../rule.ts';

/**
 * `Y = α A′B′ + β C`, `A′` and `B′` transposed where `transA`, `transB` say so: `Ā′ = αG B′ᵀ`, `B̄′ = αA′ᵀG`,
 * `C̄ = βΣ_b G`. Each product is a `Gemm` itself, so that neither the transposes nor the scale cost a pass.
 * Per sample (`B` and `C`; the batch is the rows of `A′`): the outer products `αa′ₙ gₙ`.
 */
export const gemm = defineRule({
  op: 'Gemm',
  since: 11,
  note: 'Ā′ = αG B′ᵀ, B̄′ = αA′ᵀG, C̄ = βΣ_b G',
  perSample: true,
  grad: ({ b, attrs, input, outGrads: [g], needs, perSample, unbroadcast }) => {
    const [a, w] = [input(0), input(1)];
    const alpha = attrs.float('alpha', 1);
    const beta = attrs.float('beta', 1);
    const transA = attrs.int('transA', 0) !== 0;
    const transB = attrs.int('transB', 0) !== 0;
    const product = (p: Value, q: Value, transP: boolean, transQ: boolean) =>
      multiply(b, alpha, p, q, transP, transQ);
    if (needs[0] && perSample(0)) {
      throw new GlacisError('gradient/unsupported', 'per sample: its first input has the batch as rows');
    }
    const gradA = () => (transA ? product(w, g!, transB, true) : product(g!, w, false, !transB));
    const gradB = () => {
      if (perSample(1)) return outerProducts(b, alpha, transA ? b.transpose(a, [1, 0]) : a, g!, transB);
      return transB ? product(g!, a, true, transA) : product(a, g!, !transA, false);
    };
    return [
      needs[0] ? gradA() : null,
      needs[1] ? gradB() : null,
      needs[2] ? unbroadcast(beta === 1 ? g! : b.mul(g!, beta), 2) : null,
    ];
  },
});

function multiply(b: Ops, alpha: number, p: Value, q: Value, transP: boolean, transQ: boolean): Value {
  return b.node('Gemm', [p, q], {
    ...(alpha === 1 ? {} : { alpha: float(alpha) }),
    ...(transP ? { transA: 1 } : {}),
    ...(transQ ? { transB: 1 } : {}),
  });
}

/** `[N, K, M]` from `[N, K]` and `[N, M]`, or `[N, M, K]` where `B` is kept transposed. */
function outerProducts(b: Ops, alpha: number, a: Value, g: Value, transposed: boolean): Value {
  const scaled = alpha === 1 ? g : b.mul(g, alpha);
  return transposed
    ? b.mul(b.unsqueeze(scaled, [2]), b.unsqueeze(a, [1]))
    : b.mul(b.unsqueeze(a, [2]), b.unsqueeze(scaled, [1]));
}
