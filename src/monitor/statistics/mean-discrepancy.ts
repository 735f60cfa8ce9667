import type { Rng } from '../../core/random.ts';
import { shuffle } from '../../core/shuffle.ts';
import type { Tested } from './kolmogorov-smirnov.ts';
import { medianDistance, squaredDistance } from './radial-kernel.ts';

/** How {@link meanDiscrepancy} tests. */
export interface DiscrepancyOptions {
  readonly rng: Rng;
  /** Of the Gaussian kernel; the median distance of all rows where nothing is said. */
  readonly bandwidth?: number | undefined;
  readonly permutations?: number | undefined;
}

/**
 * Maximum mean discrepancy of two samples with a Gaussian kernel: the unbiased estimate of the squared distance of their means in the kernel's space, and a p-value by
 * permutations of who belongs where, (1 + as far or farther) / (1 + permutations): never too small if rows are exchangeable. Rows are row-major, finite; at least two on each
 * side, otherwise 0 and 1. Cost: (n + m)² for the kernel and each permutation; for many rows see `embeddingTest`.
 *
 * @see Gretton et al. 2012, "A kernel two-sample test", JMLR 13
 */
export function meanDiscrepancy(
  a: ArrayLike<number>,
  n: number,
  b: ArrayLike<number>,
  m: number,
  width: number,
  { rng, bandwidth, permutations = 200 }: DiscrepancyOptions,
): Tested {
  if (n < 2 || m < 2) return { statistic: 0, p: 1 };
  const total = n + m;
  const rows = new Float64Array(total * width);
  for (let i = 0; i < n * width; i++) rows[i] = a[i]!;
  for (let i = 0; i < m * width; i++) rows[n * width + i] = b[i]!;
  const sigma = bandwidth ?? medianDistance(rows, total, width, rng);
  const kernel = new Float64Array(total * total);
  let all = 0;
  for (let i = 0; i < total; i++)
    for (let j = 0; j < i; j++) {
      const value = Math.exp(-squaredDistance(rows, i, rows, j, width) / (2 * sigma * sigma));
      kernel[i * total + j] = value;
      kernel[j * total + i] = value;
      all += 2 * value;
    }
  const sums = new Float64Array(total);
  for (let i = 0; i < total; i++) for (let j = 0; j < total; j++) sums[i]! += kernel[i * total + j]!;
  const order = Int32Array.from({ length: total }, (_, i) => i);
  const statistic = () => {
    // Sums over pairs within the first part; the other two follow from the sums of the rows.
    let [first, touched] = [0, 0];
    for (let i = 0; i < n; i++) {
      const row = order[i]! * total;
      for (let j = 0; j < n; j++) first += kernel[row + order[j]!]!;
      touched += sums[order[i]!]!;
    }
    const across = touched - first;
    const second = all - first - 2 * across;
    return first / (n * (n - 1)) + second / (m * (m - 1)) - (2 * across) / (n * m);
  };
  const found = statistic();
  let beyond = 1;
  for (let k = 0; k < permutations; k++) {
    shuffle(order, rng);
    // Rounding must not tell equal figures apart.
    if (statistic() >= found - 1e-12) beyond++;
  }
  return { statistic: found, p: beyond / (permutations + 1) };
}
