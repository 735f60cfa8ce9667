import type { Samples } from './jpeg-chroma.ts';

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
