import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../../transform/ops.ts';

/**
 * Gradients whose joint L2 norm is at most `most` (Pascanu et al. 2013): all are scaled by `most / max(norm, most)`. Gives the norm
 * before, too, a scalar.
 */
export function clipByGlobalNorm(
  b: Ops,
  gradients: readonly Value[],
  most: number,
): { readonly gradients: readonly Value[]; readonly norm: Value } {
  const squares = gradients.map((g) =>
    b.sum(
      b.mul(g, g),
      g.dims.map((_, axis) => axis),
    ),
  );
  const norm = b.unary(
    'Sqrt',
    squares.reduce((sum, square) => b.add(sum, square)),
  );
  const factor = b.div(most, b.max(norm, most));
  return { gradients: gradients.map((g) => b.mul(g, factor)), norm };
}
