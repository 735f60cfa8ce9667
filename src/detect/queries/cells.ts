import { elementCount } from '../../onnx/tensor.ts';

/** Most cells of a sample. */
const MOST_CELLS = 64;

/** A sample at a coarse scale: the mean of each of a few cells. */
export interface Cells {
  readonly count: number;
  /** Writes the cells of the sample at `offset` of `x` to `out`, `[count]`. Cost: one pass over the sample. */
  read(x: Float32Array, offset: number, out: Float32Array): void;
}

/**
 * Cells for samples of `sampleDims`: up to 8 × 8 over the last two axes of pictures and series, whose other axes are averaged; up to 64 runs of a long
 * row; the elements themselves where there are no more than 64. Averaging is what makes two queries of an iterative attack alike again: noise of ±eps in every
 * pixel all but cancels within a cell. `scale` (one number an element, above 0) divides elements first, which rows of a table need: their columns have units of their own.
 */
export function cellsOf(sampleDims: readonly number[], scale?: ArrayLike<number>): Cells {
  const size = elementCount(sampleDims);
  const home = homesOf(sampleDims, size);
  const count = home.reduce((most, at) => Math.max(most, at + 1), 0);
  const members = new Float64Array(count);
  for (let i = 0; i < size; i++) members[home[i]!]!++;
  const weight = Float32Array.from({ length: size }, (_, i) => 1 / (members[home[i]!]! * (scale?.[i] ?? 1)));
  return {
    count,
    read(x, offset, out) {
      out.fill(0, 0, count);
      for (let i = 0; i < size; i++) out[home[i]!]! += x[offset + i]! * weight[i]!;
    },
  };
}

/** The cell of each element. */
function homesOf(sampleDims: readonly number[], size: number): Uint8Array {
  if (size <= MOST_CELLS) return Uint8Array.from({ length: size }, (_, i) => i);
  const width = sampleDims.at(-1)!;
  const height = sampleDims.length > 1 ? sampleDims.at(-2)! : 1;
  const side = Math.sqrt(MOST_CELLS);
  const across = height === 1 ? Math.min(width, MOST_CELLS) : Math.min(width, side);
  const down = width === 1 ? Math.min(height, MOST_CELLS) : Math.min(height, side);
  return Uint8Array.from({ length: size }, (_, i) => {
    const column = i % width;
    const row = Math.floor(i / width) % height;
    return Math.floor((row * down) / height) * across + Math.floor((column * across) / width);
  });
}
