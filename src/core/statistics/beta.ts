import { increasingRoot } from './increasing-root.ts';

/** Where Stirling's series below is exact to float64. */
const SERIES_FROM = 16;
/** Steps of the continued fraction; about √max(a, b) are needed, so this bound is never met up to a, b ≤ 10⁹. */
const MOST_STEPS = 1e6;

/** δ(z) = ln Γ(z + 1) − [(z + ½) ln z − z + ½ ln 2π], for z > 0: what Stirling's formula lacks. */
export function stirlingError(z: number): number {
  let below = 0;
  let at = z;
  // δ(z) = δ(z + 1) + (z + ½) ln(1 + 1/z) − 1
  for (; at < SERIES_FROM; at++) below += (at + 0.5) * Math.log1p(1 / at) - 1;
  const r = 1 / (at * at);
  return below + (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - r / 1188) * r) * r) * r) / at;
}

/** a ln(a / m) + m − a, without cancellation where both are close. */
function deviance(a: number, m: number): number {
  const gap = m - a;
  return gap - a * (Math.abs(gap) < 0.1 * a ? Math.log1p(gap / a) : Math.log(m / a));
}

/**
 * Γ(a + b + 1) / (Γ(a + 1) Γ(b + 1)) · xᵃ (1 − x)ᵇ for a, b > 0 and 0 < x < 1; for whole numbers the binomial
 * probability of a successes in a + b trials. The saddle point form loses no digits to large factorials.
 *
 * @see Loader 2000, "Fast and accurate computation of binomial probabilities"
 */
export function binomialTerm(a: number, b: number, x: number): number {
  const n = a + b;
  const exponent =
    stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x) - deviance(b, n * (1 - x));
  return Math.sqrt(n / (2 * Math.PI * a * b)) * Math.exp(exponent);
}

/**
 * The regularised incomplete beta function I_x(a, b) for a, b > 0 and x in [0, 1]: the probability that a Beta(a, b)
 * variable is at most x. Relative error about 10⁻¹², at a or b near 10⁶ about 10⁻¹⁰. Cost: about √max(a, b) steps.
 *
 * @see DLMF 8.17.22, the continued fraction, evaluated with Lentz's method
 */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on one side only; I_x(a, b) = 1 − I_{1−x}(b, a).
  return x > (a + 1) / (a + b + 2) ? 1 - nearSide(b, a, 1 - x) : nearSide(a, b, x);
}

/** I_x(a, b) for x up to about its mean: xᵃ (1 − x)ᵇ / (a B(a, b)) times the fraction. */
function nearSide(a: number, b: number, x: number): number {
  return (b / (a + b)) * binomialTerm(a, b, x) * fraction(a, b, x);
}

/** 1 / (1 + d₁ / (1 + d₂ / (1 + …))). */
function fraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < MOST_STEPS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    value *= c * d;
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    value *= c * d;
    if (Math.abs(c * d - 1) < Number.EPSILON) break;
  }
  return value;
}

/** The x with I_x(a, b) = p, for a, b > 0 and 0 < p < 1. */
export function inverseIncompleteBeta(a: number, b: number, p: number): number {
  return increasingRoot(
    (x) => {
      // d/dx I_x(a, b) = xᵃ⁻¹ (1 − x)ᵇ⁻¹ / B(a, b)
      const slope = ((a * b) / (a + b)) * (binomialTerm(a, b, x) / (x * (1 - x)));
      return [incompleteBeta(a, b, x) - p, slope];
    },
    0,
    1,
    a / (a + b),
  );
}
