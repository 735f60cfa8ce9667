import { clipped } from './betting.ts';

/** An interval for a mean that may be looked at after every number: with probability `level` it holds the mean at all times together. */
export interface ConfidenceSequence {
  /** Takes one number in [0, 1]; NaN is left out. */
  take(x: number): void;
  readonly n: number;
  /** The mean of what came, with the running intersection of all intervals so far. */
  readonly mean: number;
  readonly interval: readonly [low: number, high: number];
}

/**
 * The predictable plug-in empirical Bernstein confidence sequence: closed form, constant memory, narrow where numbers vary little.
 * λ_t = min(c, √(2 ln(2/α) / (σ̂²_{t−1} t ln(1 + t)))), centre Σλx / Σλ, arm (ln(2/α) + Σ vψ(λ)) / Σλ with v = (x − μ̂_{t−1})², ψ(λ) = −ln(1 − λ) − λ.
 *
 * @see Waudby-Smith & Ramdas 2024, theorem 2 (their 4(x − μ̂)² ψ/4 is written out)
 */
export function openConfidenceSequence(level = 0.95): ConfidenceSequence {
  const log = Math.log(2 / (1 - level));
  let [n, sum, squares] = [0, 0, 0];
  let [weights, weighted, spread] = [0, 0, 0];
  let [low, high] = [0, 1];
  return {
    get n() {
      return n;
    },
    get mean() {
      return n === 0 ? 0.5 : sum / n;
    },
    get interval() {
      return [low, high] as const;
    },
    take(x) {
      if (Number.isNaN(x)) return;
      const value = clipped(x, 0.5);
      // Both with half an observation of prior, from what came before only: that is what makes the bets fair.
      const mean = (0.5 + sum) / (n + 1);
      const variance = (0.25 + squares) / (n + 1);
      n++;
      const lambda = Math.min(0.5, Math.sqrt((2 * log) / (variance * n * Math.log(1 + n))));
      weights += lambda;
      weighted += lambda * value;
      spread += (value - mean) ** 2 * (-Math.log1p(-lambda) - lambda);
      sum += value;
      squares += (value - (0.5 + sum) / (n + 1)) ** 2;
      const arm = (log + spread) / weights;
      low = Math.max(low, weighted / weights - arm);
      high = Math.min(high, weighted / weights + arm);
    },
  };
}
