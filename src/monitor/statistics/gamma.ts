import { stirlingError } from '../../core/statistics/beta.ts';
import { increasingRoot } from '../../core/statistics/increasing-root.ts';

/** Steps of the series and of the fraction; about √a of them are needed, so this is met by nothing that is asked here. */
const MOST_STEPS = 1e5;

/** xᵃ e⁻ˣ / Γ(a + 1), in the saddle point form that loses no digits for large a. */
function term(a: number, x: number): number {
  const gap = x - a;
  const deviance = Math.abs(gap) < 0.1 * a ? gap - a * Math.log1p(gap / a) : gap - a * Math.log(x / a);
  return Math.exp(-deviance - stirlingError(a)) / Math.sqrt(2 * Math.PI * a);
}

/**
 * The regularised upper incomplete gamma function Q(a, x): the probability that a Gamma(a, 1) variable exceeds x, for a > 0 and x ≥ 0. Relative error about 10⁻¹²,
 * also far out in the tail. Cost: about √a steps.
 *
 * @see DLMF 8.7.1 (series) and 8.9.2 (continued fraction, with Lentz's method)
 */
export function gammaTail(a: number, x: number): number {
  if (!(x > 0)) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  if (x < a + 1) {
    let part = 1;
    let sum = 1;
    for (let k = 1; k < MOST_STEPS && part > sum * 1e-17; k++) {
      part *= x / (a + k);
      sum += part;
    }
    return Math.max(0, 1 - term(a, x) * sum);
  }
  let b = x + 1 - a;
  let c = Number.POSITIVE_INFINITY;
  let d = 1 / b;
  let value = d;
  for (let k = 1; k < MOST_STEPS; k++) {
    const up = -k * (k - a);
    b += 2;
    d = 1 / (up * d + b);
    c = b + up / c;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return a * term(a, x) * value;
}

/** The probability that a χ² variable with `freedom` > 0 degrees of freedom (whole or not) exceeds `x`. */
export function chiSquareTail(x: number, freedom: number): number {
  return gammaTail(freedom / 2, x / 2);
}

/** The value that a χ² variable stays below with probability `p`, 0 < p < 1. */
export function chiSquareQuantile(p: number, freedom: number): number {
  const a = freedom / 2;
  return increasingRoot(
    (x) => [1 - chiSquareTail(x, freedom) - p, x > 0 ? (a / x) * term(a, x / 2) : 0],
    0,
    freedom + 40 * Math.sqrt(2 * freedom) + 200,
    freedom,
  );
}

/**
 * The exact interval (Garwood 1936) of a rate from `count` events in `time`: `[low, high]` per unit of time. It covers the true rate at least as often as `confidence` says,
 * if events come independently.
 */
export function rateInterval(
  count: number,
  time: number,
  confidence = 0.95,
): readonly [low: number, high: number] {
  const tail = (1 - confidence) / 2;
  if (!(time > 0)) return [0, Number.POSITIVE_INFINITY];
  const low = count === 0 ? 0 : chiSquareQuantile(tail, 2 * count) / 2;
  return [low / time, chiSquareQuantile(1 - tail, 2 * count + 2) / 2 / time];
}
