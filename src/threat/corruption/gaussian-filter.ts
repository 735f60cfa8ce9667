import type { Border } from './border.ts';

/** How {@link gaussianFilter} treats what lies far away or outside. */
export interface GaussianOptions {
  /** The kernel ends after so many standard deviations. */
  readonly truncate: number;
  readonly border: Border;
}

/**
 * A plane smoothed by a Gaussian of standard deviation `sigma` (pixels), as `scipy.ndimage.gaussian_filter` does it: the
 * kernel is cut at `truncate × sigma`, rounded, and normalised to 1; `sigma` 0 changes nothing.
 * Cost: at most `height + width` multiplications a pixel, however large `sigma` is, because the border is folded into the kernel.
 */
export function gaussianFilter(
  plane: ArrayLike<number>,
  height: number,
  width: number,
  sigma: number,
  { truncate, border }: GaussianOptions,
): Float64Array {
  const radius = Math.floor(truncate * sigma + 0.5);
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    sigma > 0 ? Math.exp(-0.5 * ((i - radius) / sigma) ** 2) : 1,
  );
  const sum = kernel.reduce((total, value) => total + value, 0);
  for (let i = 0; i < kernel.length; i++) kernel[i] = kernel[i]! / sum;
  const source = Float64Array.from(plane);
  if (radius === 0) return source;
  const down = new Float64Array(source.length);
  for (const [y, { start, weights }] of windows(kernel, radius, height, border).entries())
    for (const [k, weight] of weights.entries())
      for (let x = 0, from = (start + k) * width, to = y * width; x < width; x++)
        down[to + x] = down[to + x]! + weight * source[from + x]!;
  const across = new Float64Array(source.length);
  for (const [x, { start, weights }] of windows(kernel, radius, width, border).entries())
    for (let y = 0; y < height; y++) {
      let total = 0;
      for (let k = 0, from = y * width + start; k < weights.length; k++)
        total += weights[k]! * down[from + k]!;
      across[y * width + x] = total;
    }
  return across;
}

/** What one place of an axis is made of: weights of the places from `start` on. */
interface Window {
  readonly start: number;
  readonly weights: Float64Array;
}

/** The kernel at every place of an axis, what falls outside added where the border takes it from. */
function windows(kernel: Float64Array, radius: number, size: number, border: Border): readonly Window[] {
  return Array.from({ length: size }, (_, place) => {
    // A border never reaches further in than the kernel does: it mirrors or repeats.
    const start = Math.max(0, place - radius);
    const weights = new Float64Array(Math.min(size, place + radius + 1) - start);
    for (let k = 0; k < kernel.length; k++) {
      const at = border(place + k - radius, size) - start;
      weights[at] = weights[at]! + kernel[k]!;
    }
    return { start, weights };
  });
}
