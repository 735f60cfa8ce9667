import type { Rng } from '../../core/random.ts';
import { dotWide } from './dot.ts';

/**
 * Writes the signed sums of the row of `x` that begins at `from` to the front of `out`, each over `divisor` (a row's length, say) before it is rounded to float32.
 */
export type SignedSums = (x: Float32Array, from: number, out: Float32Array, divisor?: number) => void;

/**
 * Shortens rows of `width` numbers to `count`: `Σ ± xᵢ / √count` with signs drawn from `rng` once, which keeps distances between rows to about `1 / √(2·count)` (Achlioptas 2003,
 * "Database-friendly random projections"). Cost: `count · width` products a row.
 */
export function openSignedSums(rng: Rng, width: number, count: number): SignedSums {
  const signs = Float32Array.from(
    { length: count * width },
    () => (rng.integer(2) === 0 ? -1 : 1) / Math.sqrt(count),
  );
  const wide = new Float64Array(width);
  return (x, from, out, divisor = 1) => {
    wide.set(x.subarray(from, from + width));
    for (let k = 0; k < count; k++) out[k] = dotWide(signs, k * width, wide, width) / divisor;
  };
}
