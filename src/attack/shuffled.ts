import type { Rng } from '../core/random.ts';

/** The numbers 0 to `n - 1` in random order (Fisher-Yates). */
export function shuffled(n: number, rng: Rng): readonly number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
