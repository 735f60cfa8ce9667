import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { defineRule } from '../rule.ts';

/** `y = (x − μ) / (σ + 10⁻⁹)` over `axes`. */
export const meanVarianceNormalization = defineRule({
  op: 'MeanVarianceNormalization',
  since: 9,
  note: 'x̄ = r (g − mean g − y mean(g y)), r = 1 / (σ + 10⁻⁹)',
  grad: ({ b, attrs, input, outputs: [y], outGrads: [g] }) => {
    const x = input(0);
    const axes = attrs.ints('axes', [0, 2, 3]);
    const centred = b.sub(x, b.mean(x, axes, true));
    const deviation = b.unary('Sqrt', b.mean(b.mul(centred, centred), axes, true));
    const along = b.mul(y!, b.mean(b.mul(g!, y!), axes, true));
    return [b.div(b.sub(b.sub(g!, b.mean(g!, axes, true)), along), b.add(deviation, 1e-9))];
  },
});

/** `y = x / ‖x‖ₚ` along an axis, `p` 1 or 2; where the norm is zero the gradient is zero. */
export const lpNormalization = defineRule({
  op: 'LpNormalization',
  since: 1,
  note: 'x̄ = (g − d Σ g y) / ‖x‖, d = y for p = 2 and sign x for p = 1; zero where the norm is',
  grad: ({ b, attrs, input, outputs: [y], outGrads: [g] }) => {
    const x = input(0);
    const axis = [attrs.int('axis', -1)];
    const absolute = attrs.int('p', 2) === 1;
    const norm = absolute
      ? b.sum(b.unary('Abs', x), axis, true)
      : b.unary('Sqrt', b.sum(b.mul(x, x), axis, true));
    const slope = absolute ? b.unary('Sign', x) : y!;
    const raw = b.sub(g!, b.mul(slope, b.sum(b.mul(g!, y!), axis, true)));
    const some = b.compare('Greater', norm, 0);
    return [b.where(some, b.div(raw, b.where(some, norm, 1)), 0)];
  },
});

/**
 * `y = x s^−β` with `s = bias + α / size · Σ x²` over a window of channels (Krizhevsky et al. 2012):
 * `x̄ = g s^−β − 2 α β / size · x ⊙ Wᵀ(g y / s)`.
 */
export const lrn = defineRule({
  op: 'LRN',
  since: 1,
  note: 'x̄ = g s^−β − (2αβ / size) x ⊙ Wᵀ(g y / s), W the window of channels',
  grad: ({ b, attrs, input, outputs: [y], outGrads: [g] }) => {
    const x = input(0);
    const size = attrs.int('size');
    const [alpha, beta, bias] = [
      attrs.float('alpha', 1e-4),
      attrs.float('beta', 0.75),
      attrs.float('bias', 1),
    ];
    if (x.dims.includes(0)) return [b.zerosLike(x)];
    const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
    const base = b.add(b.mul(windowMean(b, b.mul(x, x), size, before, after), alpha), bias);
    const spread = windowMean(b, b.div(b.mul(g!, y!), base), size, after, before);
    return [b.sub(b.mul(g!, b.pow(base, -beta)), b.mul(b.mul(x, spread), 2 * alpha * beta))];
  },
});

/** Sum over the channels `[c − before, c + after]`, divided by `size`, by one pooling over `[N, 1, C, L]`. */
function windowMean(b: Ops, x: Value, size: number, before: number, after: number): Value {
  const [n, c] = [x.dims[0]!, x.dims[1]!];
  const places = elementCount(x.dims.slice(2));
  const pooled = b.node(
    'AveragePool',
    [b.pad(b.reshape(x, [n, 1, c, places]), [0, 0, before, 0], [0, 0, after, 0])],
    {
      kernel_shape: [size, 1],
      strides: [1, 1],
    },
  );
  return b.reshape(pooled, x.dims);
}
