/**
 * The threshold θ ≥ 0 for which `Σ wᵢ · max(|dᵢ| − θ wᵢ, 0)` is `radius`: soft thresholding by `θ wᵢ` is the Euclidean projection onto
 * the weighted L1 ball (Duchi et al. 2008 for equal weights). 0 inside the ball; without `weights` all are 1.
 * Elements of weight 0 are free. Cost: one sort.
 */
export function l1Threshold(
  d: ArrayLike<number>,
  radius: number,
  weights?: ArrayLike<number> | undefined,
): number {
  const points: { readonly at: number; readonly weight: number; readonly size: number }[] = [];
  let total = 0;
  for (let i = 0; i < d.length; i++) {
    const weight = weights ? weights[i]! : 1;
    const size = Math.abs(d[i]!);
    if (!(weight > 0) || size === 0) continue;
    total += weight * size;
    points.push({ at: size / weight, weight, size });
  }
  if (total <= radius) return 0;
  // Between two places where an element vanishes, the sum is linear in θ: Σ w |d| − θ Σ w².
  points.sort((a, b) => b.at - a.at);
  let sum = 0;
  let squares = 0;
  for (const [i, { weight, size }] of points.entries()) {
    sum += weight * size;
    squares += weight * weight;
    const theta = (sum - radius) / squares;
    if (theta >= (points[i + 1]?.at ?? 0)) return theta;
  }
  return (sum - radius) / squares;
}
