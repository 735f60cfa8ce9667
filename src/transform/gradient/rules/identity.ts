import { GlacisError } from '../../../core/error.ts';
import { isFloat } from '../../../onnx/dtype.ts';
import { numbersOf } from '../../../onnx/tensor.ts';
import { defineRule } from '../rule.ts';
import { unaryRule } from './unary.ts';

/** `y = x`: `x̄ = g`. */
export const identity = unaryRule('Identity', 1, 'x̄ = g', ({ g }) => g);

/**
 * Between floating-point types: `g` in the input's type. Other types are stop-gradients, but for straight-through rounding, where
 * whole numbers and comparisons that become floats again pass `g` as it is.
 */
export const cast = unaryRule('Cast', 6, 'x̄ = g in the type of x', ({ b, x, g }) =>
  isFloat(x.dtype) ? b.cast(g, x.dtype) : g,
);

/** Like `Cast`; the second input only gives the type. */
export const castLike = unaryRule('CastLike', 15, 'x̄ = g in the type of x', ({ b, x, g }) =>
  b.cast(g, x.dtype),
);

/**
 * `y = x` in inference; in training `y = mask ⊙ x / (1 − ratio)`, so `x̄ = mask ⊙ g / (1 − ratio)`: the draw itself is in
 * the second output, which a node that is trained through must name.
 */
export const dropout = defineRule({
  op: 'Dropout',
  since: 12,
  note: 'inference: x̄ = g; training: x̄ = mask ⊙ g / (1 − ratio), from the mask output',
  grad: ({ b, input, inputs, outputs: [, mask], outGrads: [g] }) => {
    const [, ratio, mode] = inputs;
    if (!g) return [null];
    if (mode && !mode.data)
      throw new GlacisError('gradient/unsupported', 'its training mode depends on the data');
    const training = mode?.data ? numbersOf(mode.data)[0] !== 0 : false;
    if (!training) return [g];
    if (ratio && !ratio.data) throw new GlacisError('gradient/unsupported', 'its ratio depends on the data');
    const rate = ratio?.data ? numbersOf(ratio.data)[0]! : 0.5;
    if (rate === 0) return [g];
    if (!mask)
      throw new GlacisError('gradient/unsupported', 'in training it needs its second output, the mask');
    return [b.where(mask, b.mul(g, 1 / (1 - rate)), b.scalar(0, input(0).dtype))];
  },
});
