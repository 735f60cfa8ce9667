import { increasingRoot } from './increasing-root.ts';

/** From here on the continued fraction converges faster than the series. */
const FRACTION_FROM = 3;
const STEPS = 200;

const density = (z: number) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

/** P(Z ≥ z) of the standard normal distribution, to about 10⁻¹⁴ of itself for z ≥ 3 and of 1 below. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  if (z < FRACTION_FROM) {
    // ½ − φ(z)(z + z³/3 + z⁵/(3·5) + …)
    let term = z;
    let sum = z;
    for (let k = 3; term > sum * Number.EPSILON; k += 2) {
      term *= (z * z) / k;
      sum += term;
    }
    return 0.5 - density(z) * sum;
  }
  // Mills' ratio as φ(z) / (z + 1/(z + 2/(z + 3/(z + …)))), from its far end
  let below = z;
  for (let k = STEPS; k > 0; k--) below = z + k / below;
  return density(z) / below;
}

/** The z that a standard normal variable exceeds with probability 1 − p, for 0 < p < 1. */
export function normalQuantile(p: number): number {
  return increasingRoot((z) => [normalTail(-z) - p, density(z)], -40, 40, 0);
}
