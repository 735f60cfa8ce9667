import type { Rng } from '../../core/random.ts';

/** Beyond this the map repeats itself, so that a long, thin picture does not ask for a square of its length. */
const LARGEST = 2048;

/**
 * A plasma fractal by the diamond-square algorithm (Fournier, Fussell & Carpenter 1982), `height × width` values from 0 to 1.
 * It is made on a square of a power of two that wraps around; pictures beyond 2,048 pixels see it again.
 *
 * @param decay by how much the random part falls from one level to the next finer one; larger is smoother
 */
export function plasma(height: number, width: number, decay: number, rng: Rng): Float64Array {
  const size = Math.min(LARGEST, 2 ** Math.max(1, Math.ceil(Math.log2(Math.max(height, width)))));
  const map = new Float64Array(size * size);
  const at = (y: number, x: number) => map[(y & (size - 1)) * size + (x & (size - 1))]!;
  let spread = 1;
  for (let step = size; step >= 2; step /= 2) {
    const half = step / 2;
    const set = (y: number, x: number, sum: number) => {
      map[y * size + x] = sum / 4 + spread * (2 * rng.uniform() - 1);
    };
    for (let y = 0; y < size; y += step)
      for (let x = 0; x < size; x += step)
        set(y + half, x + half, at(y, x) + at(y + step, x) + at(y, x + step) + at(y + step, x + step));
    for (let y = 0; y < size; y += step)
      for (let x = 0; x < size; x += step) {
        set(y, x + half, at(y, x) + at(y, x + step) + at(y - half, x + half) + at(y + half, x + half));
        set(y + half, x, at(y, x) + at(y + step, x) + at(y + half, x - half) + at(y + half, x + half));
      }
    // The published program divides the spread, and multiplies it into the range of the random part as well: a square.
    spread /= decay * decay;
  }
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of map) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const out = new Float64Array(height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) out[y * width + x] = (at(y, x) - low) / (high - low);
  return out;
}
