import { GlacisError } from '../core/error.ts';
import type { Rng } from '../core/random.ts';

/** Samples to learn from or to check against. */
export interface LabelledSamples {
  /** `[n, …]` row-major, as the model takes them; bytes are divided by 255. */
  readonly x: Float32Array | Uint8Array;
  /** Class of each sample. */
  readonly y: ArrayLike<number>;
}

/** Throws where samples and labels do not fit the model. Errors: `data/mismatch`, `data/label-range`. */
export function checkSamples({ x, y }: LabelledSamples, size: number, classes: number, where: string): void {
  if (x.length !== y.length * size)
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected ${size} values for each of ${y.length} labels, got ${x.length}`,
    );
  if (y.length === 0) throw new GlacisError('data/mismatch', `${where}: expected samples, got none`);
  for (let i = 0; i < y.length; i++) {
    if (!(Number.isInteger(y[i]) && y[i]! >= 0 && y[i]! < classes))
      throw new GlacisError(
        'data/label-range',
        `${where}: expected labels from 0 to ${classes - 1}, got ${y[i]} for sample ${i}`,
      );
  }
}

/** Copies sample `from` of `source` to place `to` of `target`, both of samples of `size` values. */
export function copySample(
  { x }: LabelledSamples,
  from: number,
  target: Float32Array,
  to: number,
  size: number,
): void {
  const row = x.subarray(from * size, (from + 1) * size);
  if (row instanceof Float32Array) target.set(row, to * size);
  else for (let i = 0; i < size; i++) target[to * size + i] = row[i]! / 255;
}

/** The numbers 0 to `n - 1` in random order (Fisher-Yates). */
export function shuffled(n: number, rng: Rng): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
