import { normalTail } from './normal-tail.ts';

/**
 * The exact delta at `epsilon` of the Gaussian mechanism with sensitivity 1 and standard deviation `sigma`:
 * `Φ(1/2σ − εσ) − e^ε Φ(−1/2σ − εσ)` (Balle and Wang 2018, theorem 8). Several steps without subsampling are one with
 * `sigma / √steps`.
 */
export function gaussianDelta(sigma: number, epsilon: number): number {
  const second = normalTail(1 / (2 * sigma) + epsilon * sigma);
  const minus = second === 0 ? 0 : Math.exp(epsilon + Math.log(second));
  return Math.max(0, normalTail(epsilon * sigma - 1 / (2 * sigma)) - minus);
}

/** The exact epsilon at `delta` of the same mechanism, by bisection; 0 where delta is already reached there. */
export function gaussianEpsilon(sigma: number, delta: number): number {
  if (gaussianDelta(sigma, 0) <= delta) return 0;
  let [low, high] = [0, 1];
  while (gaussianDelta(sigma, high) > delta) [low, high] = [high, 2 * high];
  for (let i = 0; i < 200 && high - low > 1e-15 * high; i++) {
    const middle = (low + high) / 2;
    if (gaussianDelta(sigma, middle) > delta) low = middle;
    else high = middle;
  }
  return high;
}
