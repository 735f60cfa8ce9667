import { logAddExp, logSumExp } from './log-sum.ts';

/**
 * Rényi divergence of order `alpha` > 1 of one step of the Poisson-subsampled Gaussian mechanism (Mironov, Talwar and Zhang
 * 2019, "Rényi differential privacy of the sampled Gaussian mechanism", section 3.3), the larger of both directions.
 *
 * Whole orders: the binomial sum of their corollary 7, less one, term by term, so that a tiny divergence keeps its digits:
 * `A − 1 = Σ_{i≥2} C(α,i) qⁱ (1−q)^(α−i) (e^((i²−i)/2σ²) − 1)`. Other orders: their series has terms of both signs; we sum
 * `A − 1 = E[r^α − 1 − α(r − 1)]`, `r = 1 − q + q e^((2x−1)/2σ²)`, by the trapezoid rule instead, which converges
 * exponentially for such integrands and has only positive terms.
 *
 * Cost: `alpha` terms, or some thousand nodes.
 */
export function renyiOfStep(q: number, sigma: number, alpha: number): number {
  if (q === 1) return alpha / (2 * sigma * sigma);
  const logExcess = Number.isInteger(alpha) ? excessBySum(q, sigma, alpha) : excessByNodes(q, sigma, alpha);
  return logAddExp(0, logExcess) / (alpha - 1);
}

/** `log(A − 1)` for a whole order. */
function excessBySum(q: number, sigma: number, alpha: number): number {
  const terms: number[] = [];
  let logChoose = Math.log(alpha);
  for (let i = 2; i <= alpha; i++) {
    logChoose += Math.log((alpha - i + 1) / i);
    const exponent = (i * i - i) / (2 * sigma * sigma);
    terms.push(logChoose + i * Math.log(q) + (alpha - i) * Math.log1p(-q) + logExpm1(exponent));
  }
  return logSumExp(terms);
}

/** `log(A − 1)` for any order. */
function excessByNodes(q: number, sigma: number, alpha: number): number {
  // The integrand is analytic in a strip of half-width min(πσ², …): this many nodes for each σ leave an error below 1e-16.
  const step = sigma / Math.max(6, 3 / sigma);
  const reach = 13 * sigma;
  const first = Math.floor(-reach / step);
  const last = Math.ceil((alpha + reach) / step);
  const terms: number[] = [];
  for (let i = first; i <= last; i++) {
    const x = i * step;
    const y = (x - 0.5) / (sigma * sigma);
    terms.push(-(x * x) / (2 * sigma * sigma) + logBernoulliGap(q, y, alpha));
  }
  return logSumExp(terms) + Math.log(step / (sigma * Math.sqrt(2 * Math.PI)));
}

/** `log(r^α − 1 − α(r − 1))` for `r = 1 − q + q eʸ`. */
function logBernoulliGap(q: number, y: number, alpha: number): number {
  const logR = y > 30 ? y + Math.log(q + (1 - q) * Math.exp(-y)) : Math.log1p(q * Math.expm1(y));
  if (alpha * logR > 40) return alpha * logR;
  const u = q * Math.expm1(y);
  if (Math.abs(u) * alpha > 0.01) return Math.log(Math.expm1(alpha * logR) - alpha * u);
  // Σ_{k≥2} C(α, k) uᵏ, as the difference above would lose its digits.
  let term = (alpha * (alpha - 1) * u * u) / 2;
  let sum = term;
  for (let k = 3; Math.abs(term) > 1e-18 * sum; k++) {
    term *= ((alpha - k + 1) * u) / k;
    sum += term;
  }
  return Math.log(sum);
}

/** `log(eˣ − 1)` for `x` > 0. */
function logExpm1(x: number): number {
  return x > 40 ? x : Math.log(Math.expm1(x));
}
