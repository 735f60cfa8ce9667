import { GlacisError } from '../core/error.ts';
import type { Rng } from '../core/random.ts';

/** A change to one sample before it is learned from. */
export interface Augment {
  readonly name: string;
  /** Everything that it depends on, for records. */
  readonly options: Readonly<Record<string, number | string | boolean>>;
  /** Changes a sample of shape `dims` in place. Errors: `data/mismatch` where the shape is no picture's. */
  apply(sample: Float32Array, dims: readonly number[], rng: Rng): void;
}

/** Moves a picture by up to `reach` pixels each way; new pixels repeat its edge, or are 0 with `fill: 'zero'` (a random crop of the padded picture). */
export function shift(reach: number, fill: 'edge' | 'zero' = 'edge'): Augment {
  return {
    name: 'shift',
    options: { reach, fill },
    apply(sample, dims, rng) {
      const [channels, height, width] = picture(dims, 'shift');
      const down = rng.integer(2 * reach + 1) - reach;
      const right = rng.integer(2 * reach + 1) - reach;
      const before = sample.slice();
      for (let c = 0; c < channels; c++)
        for (let row = 0; row < height; row++)
          for (let column = 0; column < width; column++) {
            const [y, x] = [row - down, column - right];
            const outside = y < 0 || y >= height || x < 0 || x >= width;
            const from = (c * height + clamp(y, height)) * width + clamp(x, width);
            sample[(c * height + row) * width + column] = outside && fill === 'zero' ? 0 : before[from]!;
          }
    },
  };
}

/** Mirrors a picture left to right, every other time. Not for signs, letters and digits, which mean something else then. */
export function flip(): Augment {
  return {
    name: 'flip',
    options: {},
    apply(sample, dims, rng) {
      const [channels, height, width] = picture(dims, 'flip');
      if (rng.uniform() < 0.5) return;
      for (let row = 0; row < channels * height; row++)
        sample.subarray(row * width, (row + 1) * width).reverse();
    },
  };
}

/** Makes a picture lighter or darker by up to the share `reach`; values stay at most 1. */
export function light(reach: number): Augment {
  return {
    name: 'light',
    options: { reach },
    apply(sample, _, rng) {
      const factor = 1 + reach * (2 * rng.uniform() - 1);
      for (let i = 0; i < sample.length; i++) sample[i] = Math.min(1, sample[i]! * factor);
    },
  };
}

/** Sets a square of `side` pixels at a random place to 0; it may reach over the edge (DeVries & Taylor 2017). */
export function cutout(side: number): Augment {
  return {
    name: 'cutout',
    options: { side },
    apply(sample, dims, rng) {
      const [channels, height, width] = picture(dims, 'cutout');
      const top = rng.integer(height) - Math.floor(side / 2);
      const left = rng.integer(width) - Math.floor(side / 2);
      for (let c = 0; c < channels; c++)
        for (let row = Math.max(0, top); row < Math.min(height, top + side); row++) {
          const line = (c * height + row) * width;
          sample.fill(0, line + Math.max(0, left), line + Math.max(0, Math.min(width, left + side)));
        }
    },
  };
}

/** Adds normal noise of this standard deviation; values stay in [0, 1] with `clip`. */
export function noise(sigma: number, clip = true): Augment {
  return {
    name: 'noise',
    options: { sigma, clip },
    apply(sample, _, rng) {
      for (let i = 0; i < sample.length; i++) {
        const value = sample[i]! + sigma * rng.normal();
        sample[i] = clip ? Math.min(1, Math.max(0, value)) : value;
      }
    },
  };
}

function picture(dims: readonly number[], who: string): readonly [number, number, number] {
  if (dims.length !== 3)
    throw new GlacisError(
      'data/mismatch',
      `${who}: expected pictures [channels, height, width], got samples of [${dims.join(', ')}]`,
    );
  return dims as [number, number, number];
}

function clamp(at: number, size: number): number {
  return at < 0 ? 0 : at >= size ? size - 1 : at;
}
