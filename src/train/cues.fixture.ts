import { randomFrom } from '../core/random.ts';

/**
 * `n` pictures `[1, 8, 8]` in [0, 1] with two cues for two classes: a strong one that an attack within 0.15 can turn, and a weak, wide one that it
 * cannot.
 */
export function cues(n: number, seed = 3): { readonly x: Float32Array; readonly y: Int32Array } {
  const rng = randomFrom(seed, 'cues');
  const x = new Float32Array(n * 64);
  const y = new Int32Array(n);
  for (let k = 0; k < n; k++) {
    y[k] = rng.integer(2);
    const side = y[k] === 1 ? 1 : -1;
    for (let i = 0; i < 64; i++) {
      const isWide = i % 8 < 4;
      const mean = isWide ? 0.5 + side * 0.3 : 0.5 + side * 0.04;
      x[k * 64 + i] = Math.min(1, Math.max(0, mean + (isWide ? 0.3 : 0.005) * rng.normal()));
    }
  }
  return { x, y };
}
