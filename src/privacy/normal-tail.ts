/** Below this the tail is one minus a series, above it a continued fraction. */
const CROSSOVER = 1.75;

/**
 * `P(X > z)` for a standard normal `X`, to a relative error below 1e-13 as far as doubles reach (z ≈ 38).
 * Method: for small |z| the series `Φ(z) = ½ + φ(z) Σ z^(2n+1)/(2n+1)!!`, whose terms are all of one sign; for large z the
 * continued fraction of Laplace, evaluated by Lentz's method (Abramowitz and Stegun 26.2.11 and 26.2.14).
 */
export function normalTail(z: number): number {
  if (z < -CROSSOVER) return 1 - normalTail(-z);
  return z <= CROSSOVER ? 0.5 - density(z) * series(z) : density(z) / fraction(z);
}

function density(z: number): number {
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
}

function series(z: number): number {
  let term = z;
  let sum = z;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (z * z) / (2 * n + 1);
    sum += term;
  }
  return sum;
}

/** `z + 1/(z + 2/(z + 3/(z + …)))`. */
function fraction(z: number): number {
  let value = z;
  let c = z;
  let d = 0;
  for (let n = 1; n < 10_000; n++) {
    d = 1 / (z + n * d);
    c = z + n / c;
    const change = c * d;
    value *= change;
    if (Math.abs(change - 1) < 1e-16) break;
  }
  return value;
}
