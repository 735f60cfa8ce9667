import type { Rng } from '../core/random.ts';
import { shuffle } from '../core/shuffle.ts';

/** The numbers 0 to `n - 1` in random order (Fisher-Yates). */
export function shuffled(n: number, rng: Rng): readonly number[] {
  return shuffle(
    Array.from({ length: n }, (_, i) => i),
    rng,
  );
}
