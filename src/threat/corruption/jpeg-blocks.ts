import type { Samples } from './jpeg-chroma.ts';

/** Step of each coefficient at quality 50, row by row (ITU-T T.81, table K.1). */
export const LUMINANCE: readonly number[] = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22,
  29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103,
  121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/** The same for colour (table K.2). */
export const CHROMINANCE: readonly number[] = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/** A table at a quality of 1 to 100, as libjpeg scales it. */
export function tableFor(base: readonly number[], quality: number): Int32Array {
  const scale = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return Int32Array.from(base, (step) => Math.min(255, Math.max(1, Math.floor((step * scale + 50) / 100))));
}

const SIDE = 8;

/** Ties (a black block at quality 40 is one) go up whatever the last bit of a cosine is. */
const TIE = 1e-9;

/** The orthonormal discrete cosine transform (type II) of 8 values: `BASIS[k * 8 + n]`. */
const BASIS = Float64Array.from({ length: SIDE * SIDE }, (_, i) => {
  const [k, n] = [Math.floor(i / SIDE), i % SIDE];
  return (k === 0 ? Math.sqrt(1 / SIDE) : 0.5) * Math.cos(((2 * n + 1) * k * Math.PI) / (2 * SIDE));
});

/** Its inverse, the transpose. */
const INVERSE = BASIS.map((_, i) => BASIS[(i % SIDE) * SIDE + Math.floor(i / SIDE)]!);

/**
 * A component after its 8 × 8 blocks have gone through the cosine transform, had each coefficient rounded to a multiple of its step,
 * and come back. The last row and column are repeated to fill the blocks. Cost: 1,024 multiplications a block and way.
 */
export function quantised({ height, width, values }: Samples, steps: Int32Array): Samples {
  const out = new Int32Array(height * width);
  const block = new Float64Array(SIDE * SIDE);
  const half = new Float64Array(SIDE * SIDE);
  for (let top = 0; top < height; top += SIDE)
    for (let left = 0; left < width; left += SIDE) {
      for (let i = 0; i < block.length; i++) {
        const y = Math.min(height - 1, top + (i >> 3));
        const x = Math.min(width - 1, left + (i & 7));
        block[i] = values[y * width + x]! - 128;
      }
      transform(block, half, BASIS);
      for (let i = 0; i < block.length; i++) {
        const level = block[i]! / steps[i]!;
        // Halves away from zero.
        block[i] = Math.sign(level) * Math.floor(Math.abs(level) + 0.5 + TIE) * steps[i]!;
      }
      transform(block, half, INVERSE);
      for (let i = 0; i < block.length; i++) {
        const [y, x] = [top + (i >> 3), left + (i & 7)];
        if (y < height && x < width)
          out[y * width + x] = Math.min(255, Math.max(0, Math.floor(block[i]! + 128.5 + TIE)));
      }
    }
  return { height, width, values: out };
}

/** `block ← M · block · Mᵀ` for an 8 × 8 matrix, with room for what lies between. */
function transform(block: Float64Array, half: Float64Array, matrix: Float64Array): void {
  product(matrix, block, half);
  product(matrix, half, block);
}

/** `to ← (M · fromᵀ)`, so that the second product runs along the other axis and turns the block back. */
function product(matrix: Float64Array, from: Float64Array, to: Float64Array): void {
  for (let row = 0; row < SIDE; row++)
    for (let k = 0; k < SIDE; k++) {
      let sum = 0;
      for (let n = 0; n < SIDE; n++) sum += matrix[k * SIDE + n]! * from[row * SIDE + n]!;
      to[k * SIDE + row] = sum;
    }
}
