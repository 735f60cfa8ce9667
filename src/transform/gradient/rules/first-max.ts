import { float } from '../../../onnx/attributes.ts';
import { INTERNAL_DOMAIN, type Value } from '../../../onnx/graph-builder.ts';
import { defineRule } from '../rule.ts';

/** Slope of a HardSigmoid so steep that it tells equal from unequal float32 values. */
const SLOPE = -1.5e38;

/**
 * `z = max(x₀, x₁, …)` of equal shapes, where the *first* of equal values gets the whole gradient, as in the pooling that it
 * stands for. `1[z = xᵢ]` is `min(1, max(0, 1 − c (z − xᵢ)))` with a huge `c`, because `z ≥ xᵢ`.
 */
export const firstMax = defineRule({
  op: 'FirstMax',
  domain: INTERNAL_DOMAIN,
  source: 'https://onnx.ai/onnx/operators/onnx__Max.html',
  since: 1,
  note: 'internal: the maximum of the corners of a pooling window; ties go to the first',
  grad: ({ b, inputs, outputs: [z], outGrads: [g], needs }) => {
    const last = needs.lastIndexOf(true);
    let left = g!;
    return inputs.map((x, i) => {
      if (i > last) return null;
      if (i === inputs.length - 1) return left;
      const chosen: Value = b.node('HardSigmoid', [b.sub(z!, x!)], { alpha: float(SLOPE), beta: float(1) });
      const part = b.mul(left, chosen);
      if (i < last) left = b.sub(left, part);
      return part;
    });
  },
});
