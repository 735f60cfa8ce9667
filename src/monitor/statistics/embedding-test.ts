import type { Rng } from '../../core/random.ts';
import { shuffle } from '../../core/shuffle.ts';
import { gammaTail } from './gamma.ts';
import type { Tested } from './kolmogorov-smirnov.ts';
import type { FeatureMap } from './radial-kernel.ts';

/** Means of features of a sample and what chance does to them: what a reference is to later windows. */
export interface Embedding {
  readonly n: number;
  readonly mean: Float64Array;
  /** The first three moments Σλ, Σλ², Σλ³ of the eigenvalues λ of M Σ, Σ the covariance of the features. */
  readonly moments: readonly [number, number, number];
}

/**
 * Learns a reference: the mean of its features and the distribution that the figure of {@link embeddingTest} has without a shift. Cost: n × size² + size³.
 *
 * @param rows row-major `[n, width]`, finite; n ≥ 2
 * @param form symmetric `[size, size]`, or undefined for the identity
 */
export function embed(
  features: FeatureMap,
  rows: ArrayLike<number>,
  n: number,
  form?: Float64Array | undefined,
): Embedding {
  const { size } = features;
  const all = new Float64Array(n * size);
  for (let i = 0; i < n; i++) features.write(rows, i, all, i * size);
  const mean = meanOf(all, n, size);
  const covariance = new Float64Array(size * size);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < size; k++) all[i * size + k]! -= mean[k]!;
    for (let k = 0; k < size; k++) {
      const value = all[i * size + k]! / (n - 1);
      for (let l = 0; l <= k; l++) covariance[k * size + l]! += value * all[i * size + l]!;
    }
  }
  for (let k = 0; k < size; k++)
    for (let l = 0; l < k; l++) covariance[l * size + k] = covariance[k * size + l]!;
  const product = form ? multiply(form, covariance, size) : covariance;
  const square = multiply(product, product, size);
  // tr(A), tr(A²), tr(A³)
  let [one, two, three] = [0, 0, 0];
  for (let k = 0; k < size; k++) {
    one += product[k * size + k]!;
    two += square[k * size + k]!;
    for (let l = 0; l < size; l++) three += square[k * size + l]! * product[l * size + k]!;
  }
  return { n, mean, moments: [one, two, three] };
}

/** Column means of row-major `[n, size]`. */
export function meanOf(all: ArrayLike<number>, n: number, size: number): Float64Array {
  const mean = new Float64Array(size);
  for (let i = 0; i < n; i++) for (let k = 0; k < size; k++) mean[k]! += all[i * size + k]!;
  for (let k = 0; k < size; k++) mean[k]! /= n;
  return mean;
}

/**
 * Whether a sample of `n` rows with features' mean `mean` comes from where the reference came from: hᵀ M h for the difference h of the means. With random Fourier features
 * that is the maximum mean discrepancy, with `densityDifference` the least-squares density difference; both cost the size of the sample.
 *
 * Without a shift nm/(n + m) hᵀMh is about Σ λ z² with standard normal z; its tail is that of the shifted χ² with the same first three moments (Hall, Buckley and Eagleson).
 * An approximation: good to about a tenth of p down to 10⁻⁴ with a hundred rows a side; thresholds far out are set on calm data.
 *
 * @see Gretton et al. 2012, theorem 12; Bodenham & Adams 2016, "A comparison of efficient approximations for a weighted sum of chi-squared random variables"
 */
export function embeddingTest(
  reference: Embedding,
  mean: Float64Array,
  n: number,
  form?: Float64Array | undefined,
): Tested {
  const size = mean.length;
  const h = mean.map((value, k) => value - reference.mean[k]!);
  let statistic = 0;
  for (let k = 0; k < size; k++) {
    if (form) {
      let sum = 0;
      for (let l = 0; l < size; l++) sum += form[k * size + l]! * h[l]!;
      statistic += h[k]! * sum;
    } else statistic += h[k]! * h[k]!;
  }
  return { statistic, p: weightedTail((statistic * n * reference.n) / (n + reference.n), reference.moments) };
}

/** P(Σ λ z² ≥ x) from the three moments Σλ, Σλ², Σλ³. */
export function weightedTail(x: number, [one, two, three]: readonly [number, number, number]): number {
  if (!(two > 0 && three > 0)) return x > one + 1e-12 ? 0 : 1;
  // κ₁ = Σλ, κ₂ = 2Σλ², κ₃ = 8Σλ³; freedom 8κ₂³/κ₃²
  const freedom = two ** 3 / three ** 2;
  const y = ((x - one) / Math.sqrt(2 * two)) * Math.sqrt(2 * freedom) + freedom;
  return y <= 0 ? 1 : gammaTail(freedom / 2, y / 2);
}

/**
 * A p-value for the same figure by permutations, exact if rows are exchangeable: (1 + as far or farther) / (1 + permutations).
 *
 * @param all features of both samples, row-major `[n + m, size]`, the first n of the first
 */
export function permutedEmbeddingTest(
  all: Float64Array,
  n: number,
  m: number,
  size: number,
  {
    rng,
    form,
    permutations = 200,
  }: { readonly rng: Rng; readonly form?: Float64Array; readonly permutations?: number },
): Tested {
  const total = meanOf(all, n + m, size);
  const order = Int32Array.from({ length: n + m }, (_, i) => i);
  const figure = () => {
    const first = new Float64Array(size);
    for (let i = 0; i < n; i++) for (let k = 0; k < size; k++) first[k]! += all[order[i]! * size + k]!;
    // mean₁ − mean₂ = (n + m)/m (mean₁ − mean)
    for (let k = 0; k < size; k++) first[k] = ((first[k]! / n - total[k]!) * (n + m)) / m;
    let sum = 0;
    for (let k = 0; k < size; k++) {
      if (!form) sum += first[k]! ** 2;
      else for (let l = 0; l < size; l++) sum += first[k]! * form[k * size + l]! * first[l]!;
    }
    return sum;
  };
  const statistic = figure();
  let beyond = 1;
  for (let t = 0; t < permutations; t++) {
    shuffle(order, rng);
    if (figure() >= statistic - 1e-12) beyond++;
  }
  return { statistic, p: beyond / (permutations + 1) };
}

function multiply(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const c = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) {
      const value = a[i * n + k]!;
      if (value !== 0) for (let j = 0; j < n; j++) c[i * n + j]! += value * b[k * n + j]!;
    }
  return c;
}
