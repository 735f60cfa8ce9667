import { type ImageDims, pixelAt } from '../../transform/image-dims.ts';

/** Makes a simpler copy of a sample: what a person would not miss. Values from `from` of `x` go to `to`. */
export type Squeezer = (x: Float32Array, from: number, to: Float32Array, toFrom: number) => void;

/** Every value becomes the nearest of 2^bits levels of the range; halves go up. Xu et al. 2018. */
export function bitDepthSqueezer(
  bits: number,
  size: number,
  [low, high]: readonly [number, number],
): Squeezer {
  const steps = 2 ** bits - 1;
  const width = high - low;
  return (x, from, to, toFrom) => {
    for (let i = 0; i < size; i++)
      to[toFrom + i] = low + (Math.floor(((x[from + i]! - low) / width) * steps + 0.5) / steps) * width;
  };
}

/** Every pixel becomes the median of itself and its eight neighbours in its channel; pixels beyond the edge repeat it. */
export function medianSqueezer(image: ImageDims): Squeezer {
  const { channels, height, width } = image;
  const places = new Int32Array(channels * height * width * 9);
  let at = 0;
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let dy = -1; dy <= 1; dy++)
          for (let dx = -1; dx <= 1; dx++)
            places[at++] = pixelAt(
              image,
              c,
              Math.min(height - 1, Math.max(0, y + dy)),
              Math.min(width - 1, Math.max(0, x + dx)),
            );
  const window = new Float32Array(9);
  return (x, from, to, toFrom) => {
    for (let i = 0; i < places.length; i += 9) {
      for (let k = 0; k < 9; k++) window[k] = x[from + places[i + k]!]!;
      // The fifth window place is the pixel itself.
      to[toFrom + places[i + 4]!] = medianOfNine(window);
    }
  };
}

/** The fifth of nine values, by a partial network of comparisons (Paeth 1990, "Median finding on a 3×3 grid"). */
function medianOfNine(v: Float32Array): number {
  order(v, 1, 2);
  order(v, 4, 5);
  order(v, 7, 8);
  order(v, 0, 1);
  order(v, 3, 4);
  order(v, 6, 7);
  order(v, 1, 2);
  order(v, 4, 5);
  order(v, 7, 8);
  order(v, 0, 3);
  order(v, 5, 8);
  order(v, 4, 7);
  order(v, 3, 6);
  order(v, 1, 4);
  order(v, 2, 5);
  order(v, 4, 7);
  order(v, 4, 2);
  order(v, 6, 4);
  order(v, 4, 2);
  return v[4]!;
}

function order(v: Float32Array, i: number, j: number): void {
  const a = v[i]!;
  const b = v[j]!;
  if (a > b) {
    v[i] = b;
    v[j] = a;
  }
}
