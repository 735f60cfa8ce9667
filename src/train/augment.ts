import type { Rng } from '../core/random.ts';

/** Changes one sample in place before it is learned from; `dims` is its shape. */
export type Augment = (sample: Float32Array, dims: readonly number[], rng: Rng) => void;

/**
 * Moves a picture `[C, H, W]` by up to `reach` pixels each way, repeating its edge, and makes it lighter or darker by up to
 * `light` (values stay in [0, 1]). Nothing is mirrored: signs and letters mean something else then.
 */
export function shiftAndLight(reach: number, light: number): Augment {
  return (sample, dims, rng) => {
    const [channels, height, width] = dims as [number, number, number];
    const down = rng.integer(2 * reach + 1) - reach;
    const right = rng.integer(2 * reach + 1) - reach;
    const factor = 1 + light * (2 * rng.uniform() - 1);
    const before = sample.slice();
    for (let c = 0; c < channels; c++) {
      for (let row = 0; row < height; row++) {
        const from = (c * height + clamp(row - down, height)) * width;
        const to = (c * height + row) * width;
        for (let column = 0; column < width; column++) {
          sample[to + column] = Math.min(1, before[from + clamp(column - right, width)]! * factor);
        }
      }
    }
  };
}

function clamp(at: number, size: number): number {
  return at < 0 ? 0 : at >= size ? size - 1 : at;
}
