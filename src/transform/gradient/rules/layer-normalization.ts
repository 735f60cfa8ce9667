import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import { defineRule, type RuleContext } from '../rule.ts';
import { type Standardised, standardise, standardised, standardiseGradient } from '../standardise.ts';

/**
 * `y = x̂ s + β` with `x̂ = (x − μ) r` over the axes from `axis` on (Ba et al. 2016). The outputs `μ` and
 * `r = 1 / √(σ² + ε)` may have cotangents of their own: `μ̄ / n` and `−r̄ r³ (x − μ) / n`.
 */
export const layerNormalization = defineRule({
  op: 'LayerNormalization',
  since: 17,
  note: 'x̄ = r (ĝ − mean ĝ − x̂ mean(ĝ x̂)), ĝ = g s; s̄ = Σ g x̂, β̄ = Σ g; also through the outputs Mean and InvStdDev',
  perSample: true,
  grad: (context) => {
    const { b, attrs, input, inputs, outGrads, needs, unbroadcast } = context;
    const [g, meanGrad, scaleGrad] = outGrads;
    const x = input(0);
    const from = (attrs.int('axis', -1) + x.dims.length) % x.dims.length;
    const axes = x.dims.flatMap((_, a) => (a >= from ? [a] : []));
    const count = elementCount(x.dims.slice(from));
    if (elementCount(x.dims) === 0)
      return inputs.map((v, i) => (needs[i] && !context.perSample(i) ? b.zerosLike(v!) : null));
    const parts = () => statistics(context, axes);
    const terms: Value[] = [];
    if (g && needs[0]) terms.push(standardiseGradient(b, b.mul(g, input(1)), parts(), axes));
    if (meanGrad && needs[0]) terms.push(b.expand(b.mul(b.cast(meanGrad, x.dtype), 1 / count), x.dims));
    if (scaleGrad && needs[0]) {
      const { centred, scale: r } = parts();
      const cubed = b.mul(r, b.mul(r, r));
      terms.push(b.mul(centred, b.mul(b.mul(b.cast(scaleGrad, x.dtype), cubed), -1 / count)));
    }
    return inputs.map((_, i) => {
      if (!needs[i]) return null;
      if (i === 0) return terms.length > 0 ? terms.reduce((a, t) => b.add(a, t)) : null;
      if (!g) return null;
      return unbroadcast(i === 1 ? b.mul(g, standardised(b, parts())) : g, i);
    });
  },
});

/** `x − μ` and `r`: from the node's own outputs where it has them; in float32 one fused node gives both. */
function statistics({ b, attrs, node, input, outputs }: RuleContext, axes: readonly number[]): Standardised {
  const x = input(0);
  const epsilon = attrs.float('epsilon', 1e-5);
  if (outputs.length < 3 && x.dtype !== 'float32') return standardise(b, x, axes, epsilon);
  const [, mean, scale] =
    outputs.length >= 3
      ? outputs
      : b.nodes('LayerNormalization', [x, input(1)], Object.fromEntries(node.attributes), {
          outputs: 3,
          name: node.name,
        });
  return { centred: b.sub(x, b.cast(mean!, x.dtype)), scale: b.cast(scale!, x.dtype) };
}

/** `y = x r s` with `r = 1 / √(mean x² + ε)` over the axes from `axis` on (Zhang & Sennrich 2019). */
export const rmsNormalization = defineRule({
  op: 'RMSNormalization',
  since: 23,
  note: 'x̄ = r (ĝ − x r² mean(ĝ x)), ĝ = g s; s̄ = Σ g x r',
  perSample: true,
  grad: ({ b, attrs, input, outGrads: [g], needs, unbroadcast }) => {
    const x = input(0);
    const from = (attrs.int('axis', -1) + x.dims.length) % x.dims.length;
    const axes = x.dims.flatMap((_, a) => (a >= from ? [a] : []));
    const square = b.add(b.mean(b.mul(x, x), axes, true), attrs.float('epsilon', 1e-5));
    const scale = b.div(1, b.unary('Sqrt', square));
    const along = () => {
      const weighted = b.mul(g!, input(1));
      return b.mul(b.sub(weighted, b.mul(x, b.div(b.mean(b.mul(weighted, x), axes, true), square))), scale);
    };
    return [needs[0] ? along() : null, needs[1] ? unbroadcast(b.mul(g!, b.mul(x, scale)), 1) : null];
  },
});
