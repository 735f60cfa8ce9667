import { whitening } from '../../detect/features/cholesky.ts';
import { type FeatureMap, kernelFeatures, squaredDistance } from './radial-kernel.ts';

/** A fitted least-squares density difference: features of rows, and the form that makes a figure of the difference of their means. */
export interface DensityDifference {
  readonly features: FeatureMap;
  /** Symmetric `[size, size]`: the figure is hᵀ M h, with h the difference of the features' means. */
  readonly form: Float64Array;
}

/**
 * Least-squares density difference: an estimate of ∫ (p − q)² from samples, by a direct fit of p − q with Gaussian kernels around `centres`. Unlike a difference of two density
 * estimates it does not smooth real differences away. What is estimated is (√π σ)^(−width) times the figure here: in many dimensions that factor leaves float64, and for a
 * test it does not matter.
 *
 * H_{cc'} = exp(−‖c − c'‖² / (4σ²)); θ = (H + λI)⁻¹ h; 2hᵀθ − θᵀHθ.
 *
 * @param ridge λ in units of the diagonal of H
 * @see Sugiyama et al. 2013, "Density-difference estimation", Neural Computation 25
 */
export function densityDifference(
  centres: ArrayLike<number>,
  n: number,
  width: number,
  bandwidth: number,
  ridge: number,
): DensityDifference {
  const h = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      h[i * n + j] = Math.exp(-squaredDistance(centres, i, centres, j, width) / (4 * bandwidth * bandwidth));
  // A⁻¹ = WᵀW with A = H + λI, which is positive definite for λ > 0 up to rounding.
  const w = whitening(h, n, ridge) ?? whitening(h, n, ridge + 1e-6)!;
  const inverse = new Float64Array(n * n);
  for (let k = 0; k < n; k++)
    for (let i = 0; i <= k; i++)
      for (let j = 0; j <= k; j++) inverse[i * n + j]! += w[k * n + i]! * w[k * n + j]!;
  // 2A⁻¹ − A⁻¹HA⁻¹ = A⁻¹ + λA⁻², because H = A − λI
  const form = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += inverse[i * n + k]! * inverse[k * n + j]!;
      form[i * n + j] = inverse[i * n + j]! + ridge * sum;
    }
  return { features: kernelFeatures(centres, n, width, bandwidth), form };
}
