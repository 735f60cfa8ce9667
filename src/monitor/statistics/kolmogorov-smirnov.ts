/** A test's figure and its p-value. */
export interface Tested {
  readonly statistic: number;
  readonly p: number;
}

/** Up to this product of the sizes p is exact; it costs as many steps. */
const EXACT_UP_TO = 20_000;

/**
 * The two-sample Kolmogorov-Smirnov test: the greatest distance of two empirical distribution functions, and the probability of at least that distance if both samples come
 * from one distribution. Both are sorted, the least first, without NaN; infinities count as values. With an empty sample nothing is known: 0 and 1.
 *
 * Up to 20,000 pairs p is exact, given the ties (a path-counting recursion in probabilities, so that small values keep their digits); beyond, that of the limiting
 * distribution, which with ties and in small samples is too large rather than too small.
 *
 * @see Hodges 1958, Arkiv för matematik 3; Schröer & Trenkler 1995, Computational Statistics & Data Analysis 20 (ties)
 */
export function kolmogorovSmirnov(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  exactUpTo = EXACT_UP_TO,
): Tested {
  const [m, n] = [a.length, b.length];
  if (m === 0 || n === 0) return { statistic: 0, p: 1 };
  const isExact = m * n <= exactUpTo;
  // Where a group of equal values ends in the pooled order: only there the functions are compared.
  const ends = new Uint8Array(isExact ? m + n + 1 : 0);
  let [i, j, most] = [0, 0, 0];
  while (i < m || j < n) {
    const value = j >= n || (i < m && a[i]! <= b[j]!) ? a[i]! : b[j]!;
    while (i < m && a[i] === value) i++;
    while (j < n && b[j] === value) j++;
    if (isExact) ends[i + j] = 1;
    // |i/m − j/n| in whole numbers, so that equal distances are equal.
    const distance = Math.abs(i * n - j * m);
    if (distance > most) most = distance;
  }
  const statistic = most / (m * n);
  const p = isExact ? exactTail(most, m, n, ends) : kolmogorovTail(statistic * Math.sqrt((m * n) / (m + n)));
  return { statistic, p };
}

/** The share of all orders of m and n values, ties kept, whose distance times mn is `most` or more. */
function exactTail(most: number, m: number, n: number, ends: Uint8Array): number {
  if (most === 0) return 1;
  // reach[j]: of the paths to (i, j), the share that met the bound. The last step came from (i − 1, j) with probability i / (i + j).
  const reach = new Float64Array(n + 1);
  for (let i = 0; i <= m; i++) {
    for (let j = 0; j <= n; j++) {
      if (i + j === 0) continue;
      if (ends[i + j] === 1 && Math.abs(i * n - j * m) >= most) reach[j] = 1;
      else reach[j] = ((i > 0 ? i * reach[j]! : 0) + (j > 0 ? j * reach[j - 1]! : 0)) / (i + j);
    }
  }
  return reach[n]!;
}

/** The limiting distribution's tail: P(sup |Brownian bridge| ≥ x). */
export function kolmogorovTail(x: number): number {
  if (!(x > 0.15)) return 1;
  if (x < 1) {
    // 1 − √(2π)/x Σ exp(−(2k − 1)² π² / (8x²)), which converges fast here
    let sum = 0;
    for (let k = 1; k <= 5; k++) sum += Math.exp((-((2 * k - 1) ** 2) * Math.PI ** 2) / (8 * x * x));
    return Math.min(1, 1 - (Math.sqrt(2 * Math.PI) / x) * sum);
  }
  // 2 Σ (−1)ᵏ⁻¹ exp(−2k²x²)
  let sum = 0;
  for (let k = 1; k <= 5; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return sum;
}
