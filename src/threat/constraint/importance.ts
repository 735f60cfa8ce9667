import { GlacisError } from '../../core/error.ts';

/**
 * How much each column of a table says about the target: |Pearson correlation|, scaled to Euclidean length 1, as LowProFool
 * weighs changes (Ballet et al. 2019, "Imperceptible adversarial attacks on tabular data"): an expert looks at telling columns first.
 *
 * `rows` is row-major `[target.length, width]`; `target` holds classes 0 and 1, or regression targets (for more classes, 1 where
 * the class is the one in question). A column without variation gets 0; so do all where the target has none.
 * Errors: `data/mismatch` (sizes, fewer than two rows). Cost: two passes, float64.
 */
export function importance(rows: Float32Array, width: number, target: ArrayLike<number>): Float64Array {
  const n = target.length;
  if (n < 2 || rows.length !== n * width)
    throw new GlacisError(
      'data/mismatch',
      `importance: expected at least two rows of ${width} values with a target each, got ${rows.length} values and ${n} targets`,
    );
  const means = new Float64Array(width);
  let targetMean = 0;
  for (let i = 0; i < n; i++) {
    targetMean += target[i]! / n;
    for (let j = 0; j < width; j++) means[j] = means[j]! + rows[i * width + j]! / n;
  }
  const together = new Float64Array(width);
  const squares = new Float64Array(width);
  const sizes = new Float64Array(width);
  let targetSquares = 0;
  for (let i = 0; i < n; i++) {
    const t = target[i]! - targetMean;
    targetSquares += t * t;
    for (let j = 0; j < width; j++) {
      const value = rows[i * width + j]!;
      const d = value - means[j]!;
      together[j] = together[j]! + d * t;
      squares[j] = squares[j]! + d * d;
      sizes[j] = sizes[j]! + value * value;
    }
  }
  // What the rounding of the mean leaves of a constant column is not variation.
  const varies = (j: number) => squares[j]! > 1e-24 * sizes[j]! && targetSquares > 0;
  const weights = means.map((_, j) =>
    varies(j) ? Math.abs(together[j]!) / Math.sqrt(squares[j]! * targetSquares) : 0,
  );
  const length = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0));
  return length > 0 ? weights.map((w) => w / length) : weights;
}

/**
 * LowProFool's size of a change: the `p`-norm of `weights ⊙ (x − clean)`, for `p` of 1, 2 or Infinity. The rows have as many values as
 * there are weights and start at `offset` and `cleanOffset`; accumulated in float64.
 */
export function weightedDistance(
  weights: ArrayLike<number>,
  p: 1 | 2 | typeof Number.POSITIVE_INFINITY,
  x: Float32Array,
  offset: number,
  clean: Float32Array,
  cleanOffset: number,
): number {
  let total = 0;
  for (let j = 0; j < weights.length; j++) {
    const d = weights[j]! * Math.abs(x[offset + j]! - clean[cleanOffset + j]!);
    if (p === 1) total += d;
    else if (p === 2) total += d * d;
    else total = d > total || Number.isNaN(d) ? d : total;
  }
  return p === 2 ? Math.sqrt(total) : total;
}
