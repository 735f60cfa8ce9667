import { float } from '../../../onnx/attributes.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { INTERNAL_DOMAIN } from '../../../onnx/internal-operators.ts';
import type { Ops } from '../../ops.ts';
import { interleave } from '../conv-input.ts';
import { defineRule } from '../rule.ts';

/** Slope of a HardSigmoid so steep that it tells equal from unequal float32 values. */
const SLOPE = -1.5e38;

/** What of `g` each of `inputs` gets, of which `z` is the maximum: the first of equal ones all of it. */
export function firstShares(b: Ops, inputs: readonly Value[], z: Value, g: Value): readonly Value[] {
  return shares(b, inputs, z, g, inputs.length - 1) as readonly Value[];
}

/** The same up to the one at `last`. */
function shares(b: Ops, inputs: readonly Value[], z: Value, g: Value, last: number): (Value | null)[] {
  let left = g;
  return inputs.map((x, i) => {
    if (i > last) return null;
    if (i === inputs.length - 1) return left;
    const chosen = b.node('HardSigmoid', [b.sub(z, x)], { alpha: float(SLOPE), beta: float(1) });
    const part = b.mul(left, chosen);
    if (i < last) left = b.sub(left, part);
    return part;
  });
}

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
  grad: ({ b, inputs, outputs: [z], outGrads: [g], needs }) =>
    shares(b, inputs as Value[], z!, g!, needs.lastIndexOf(true)),
});

/**
 * `FirstMax` of the four corners `y[:, :, i::2, j::2]` of an image `y`, its last input, which is not computed for it. The gradient goes to
 * the image as one: what made the image then has one gradient in place of four.
 */
export const pooledMax = defineRule({
  op: 'PooledMax',
  domain: INTERNAL_DOMAIN,
  source: 'https://onnx.ai/onnx/operators/onnx__MaxPool.html',
  since: 1,
  note: 'internal: the maximum of the corners of an image, whose gradient goes to the image; ties go to the first',
  grad: ({ b, inputs, outputs: [z], outGrads: [g] }) => {
    const corners = inputs.slice(0, -1) as Value[];
    const { dims } = inputs.at(-1)!;
    const parts = firstShares(b, corners, z!, g!);
    const covered = dims.map((d, a) => (a < 2 ? d : 2 * z!.dims[a]!));
    const together = interleave(b, parts, [2, 2], covered);
    const whole = b.pad(
      together,
      dims.map(() => 0),
      dims.map((d, a) => d - covered[a]!),
    );
    return [...corners.map(() => null), whole];
  },
});
