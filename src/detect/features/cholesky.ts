/**
 * `W` with `Wᵀ W = (C + ridge · I)⁻¹`, lower triangular, row-major: multiplied by it, data of covariance `C` have covariance 1. `C` is symmetric, `[n, n]`, in
 * float64. Gives `undefined` where the matrix is not positive definite. Cost: 2 n³ / 3.
 */
export function whitening(covariance: Float64Array, n: number, ridge: number): Float64Array | undefined {
  // C = L Lᵀ (Cholesky), W = L⁻¹.
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = covariance[i * n + j]! + (i === j ? ridge : 0);
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      if (i !== j) lower[i * n + j] = sum / lower[j * n + j]!;
      else if (sum > 0) lower[i * n + i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  const inverse = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    inverse[j * n + j] = 1 / lower[j * n + j]!;
    for (let i = j + 1; i < n; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= lower[i * n + k]! * inverse[k * n + j]!;
      inverse[i * n + j] = sum / lower[i * n + i]!;
    }
  }
  return inverse;
}
