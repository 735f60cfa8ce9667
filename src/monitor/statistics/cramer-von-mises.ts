import type { Tested } from './kolmogorov-smirnov.ts';

/** Up to this product of the sizes p is exact. */
const EXACT_UP_TO = 120;

/**
 * The two-sample Cramér-von Mises test: the mean squared distance of two empirical distribution functions. It sees shifts of the whole distribution better than
 * Kolmogorov-Smirnov, and a narrow gap worse. Both samples are sorted, without NaN. With an empty sample: 0 and 1.
 *
 * Equal values of both samples: the functions are compared behind them, as Anderson does; scipy ranks them by the middle instead.
 *
 * p is exact, given the ties, for the smallest samples (at most 120 pairs), otherwise that of the limiting distribution with mean and variance adjusted to the sizes.
 *
 * @see Anderson 1962, Annals of Mathematical Statistics 33; Anderson & Darling 1952 (limit)
 */
export function cramerVonMises(a: ArrayLike<number>, b: ArrayLike<number>): Tested {
  const [m, n] = [a.length, b.length];
  if (m === 0 || n === 0) return { statistic: 0, p: 1 };
  const total = m + n;
  // Ends of groups of equal values, and their sizes.
  const sizes = new Float64Array(total + 1);
  let [i, j, sum] = [0, 0, 0];
  while (i < m || j < n) {
    const value = j >= n || (i < m && a[i]! <= b[j]!) ? a[i]! : b[j]!;
    const before = i + j;
    while (i < m && a[i] === value) i++;
    while (j < n && b[j] === value) j++;
    sizes[i + j] = i + j - before;
    sum += sizes[i + j]! * (i * n - j * m) ** 2;
  }
  // T = mn / (m + n)² Σ (F − G)², with (i n − j m)² = (mn)² (F − G)²
  const statistic = sum / (m * n * total * total);
  if (m * n <= EXACT_UP_TO) return { statistic, p: exactTail(sum, m, n, sizes) };
  const mean = (1 + 1 / total) / 6;
  const variance =
    ((total + 1) * (4 * m * n * total - 3 * (m * m + n * n) - 2 * m * n)) / (45 * total * total * 4 * m * n);
  return { statistic, p: cramerVonMisesTail(1 / 6 + (statistic - mean) / Math.sqrt(45 * variance)) };
}

/** The share of all orders whose sum is `sum` or more: sums with their shares, for all paths to each point of a row. */
function exactTail(sum: number, m: number, n: number, sizes: Float64Array): number {
  let row: Map<number, number>[] = [];
  for (let i = 0; i <= m; i++) {
    const next: Map<number, number>[] = [];
    for (let j = 0; j <= n; j++) {
      const here = new Map<number, number>();
      const more = sizes[i + j]! * (i * n - j * m) ** 2;
      const take = (from: ReadonlyMap<number, number>, share: number) => {
        for (const [value, p] of from) here.set(value + more, (here.get(value + more) ?? 0) + share * p);
      };
      if (i + j === 0) here.set(0, 1);
      if (i > 0) take(row[j]!, i / (i + j));
      if (j > 0) take(next[j - 1]!, j / (i + j));
      next.push(here);
    }
    row = next;
  }
  let p = 0;
  for (const [value, share] of row[n]!) if (value >= sum) p += share;
  return Math.min(1, p);
}

/**
 * The limiting distribution's tail: P(∫ Brownian bridge² ≥ x). Below 10⁻¹⁴ it is 0.
 * 1 − 1/(π√x) Σ Γ(k + ½) / (Γ(½) k!) √(4k + 1) e^(−y) K_¼(y) with y = (4k + 1)² / (16x).
 */
export function cramerVonMisesTail(x: number): number {
  if (!(x > 0)) return 1;
  let sum = 0;
  let factor = 1;
  for (let k = 0; k < 100; k++) {
    const y = (4 * k + 1) ** 2 / (16 * x);
    const part = factor * Math.sqrt(4 * k + 1) * Math.exp(-y) * besselK(0.25, y);
    sum += part;
    if (part < 1e-17) break;
    factor *= (k + 0.5) / (k + 1);
  }
  return Math.min(1, Math.max(0, 1 - sum / (Math.PI * Math.sqrt(x))));
}

/** The modified Bessel function K of order `nu` at x > 0: ∫ exp(−x cosh t) cosh(νt) dt from 0 on (DLMF 10.32.9); the trapezoidal rule converges exponentially. */
function besselK(nu: number, x: number): number {
  const step = 1 / 16;
  let sum = 0.5 * Math.exp(-x);
  for (let t = step; ; t += step) {
    const part = Math.exp(-x * Math.cosh(t)) * Math.cosh(nu * t);
    sum += part;
    if (part < 1e-18 * sum || part === 0) return sum * step;
  }
}
