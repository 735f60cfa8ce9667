import { binomialTerm, incompleteBeta } from './beta.ts';

/** P(X ≤ k) for X ~ Binomial(n, p); k may lie outside [0, n]. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  return k >= n ? 1 : incompleteBeta(n - k, k + 1, 1 - p);
}

/** P(X = k) for X ~ Binomial(n, p), 0 < p < 1 and whole k in [0, n]. */
export function binomialPoint(k: number, n: number, p: number): number {
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  return k === n ? p ** n : binomialTerm(k, n - k, p);
}
