/** One component of a JPEG picture: whole numbers from 0 to 255. */
export interface Samples {
  readonly height: number;
  readonly width: number;
  readonly values: Int32Array;
}

/**
 * A component at half the resolution: means of 2 × 2 samples. As in libjpeg, the last column is repeated *before* it is halved, until
 * the half fills whole blocks of 8; the last row where one is missing.
 */
export function halved({ height, width, values }: Samples): Samples {
  const rows = Math.ceil(height / 2);
  const columns = 8 * Math.ceil(width / 16);
  const out = new Int32Array(rows * columns);
  for (let y = 0; y < rows; y++) {
    const upper = 2 * y * width;
    const lower = Math.min(height - 1, 2 * y + 1) * width;
    for (let x = 0; x < columns; x++) {
      const [left, right] = [Math.min(width - 1, 2 * x), Math.min(width - 1, 2 * x + 1)];
      const sum =
        values[upper + left]! + values[upper + right]! + values[lower + left]! + values[lower + right]!;
      // libjpeg rounds down and up in turn, so that no brightness is gained or lost.
      out[y * columns + x] = (sum + (x % 2 === 0 ? 1 : 2)) >> 2;
    }
  }
  return { height: rows, width: columns, values: out };
}

/** Pictures whose half is this wide or narrower are widened by repetition, as in libjpeg. */
const NARROW = 2;

/**
 * A component of half the resolution at the full one, `height × width`: every sample is ¾ of the nearest and ¼ of the next one
 * along each axis, with libjpeg's rounding ("fancy upsampling").
 */
export function widened(half: Samples, height: number, width: number): Int32Array {
  const { height: rows, width: stride, values } = half;
  const columns = Math.ceil(width / 2);
  const out = new Int32Array(height * width);
  for (let y = 0; y < height; y++) {
    const near = (y >> 1) * stride;
    const far = Math.min(rows - 1, Math.max(0, y % 2 === 0 ? (y >> 1) - 1 : (y >> 1) + 1)) * stride;
    const mixed = (x: number) => 3 * values[near + x]! + values[far + x]!;
    for (let x = 0; x < width; x++) {
      const at = x >> 1;
      const even = x % 2 === 0;
      const next = Math.min(columns - 1, Math.max(0, even ? at - 1 : at + 1));
      out[y * width + x] =
        columns <= NARROW ? values[near + at]! : (3 * mixed(at) + mixed(next) + (even ? 8 : 7)) >> 4;
    }
  }
  return out;
}
