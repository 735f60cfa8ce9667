import { type ImageDims, pixelAt } from '../../threat/image-dims.ts';

/** The orthonormal two-dimensional cosine basis (DCT-II) of each channel of a picture, for attacks that search low frequencies. */
export interface CosineBasis {
  /** Frequencies along the height and the width. */
  readonly rows: number;
  readonly columns: number;
  /** Coefficients of a picture: `channels · rows · columns`. */
  readonly size: number;
  /** Adds `scale` times the basis picture of one coefficient (numbered channel, row, column) to a sample. */
  add(coefficient: number, scale: number, out: Float32Array): void;
  /** Writes the picture that the coefficients stand for over a sample. Cost: two small matrix products a channel. */
  synthesise(coefficients: Float32Array, out: Float32Array): void;
}

/** The basis of the `rows × columns` lowest frequencies. */
export function cosineBasis(image: ImageDims, rows: number, columns: number): CosineBasis {
  const { channels, height, width } = image;
  const vertical = cosines(height, rows);
  const horizontal = cosines(width, columns);
  const wide = new Float32Array(rows * width);
  return {
    rows,
    columns,
    size: channels * rows * columns,
    add(coefficient, scale, out) {
      const column = coefficient % columns;
      const row = Math.floor(coefficient / columns) % rows;
      const channel = Math.floor(coefficient / (columns * rows));
      for (let y = 0; y < height; y++) {
        const v = scale * vertical[row * height + y]!;
        for (let x = 0; x < width; x++)
          out[pixelAt(image, channel, y, x)]! += v * horizontal[column * width + x]!;
      }
    },
    synthesise(coefficients, out) {
      for (let channel = 0; channel < channels; channel++) {
        wide.fill(0);
        for (let row = 0; row < rows; row++)
          for (let column = 0; column < columns; column++) {
            const c = coefficients[(channel * rows + row) * columns + column]!;
            for (let x = 0; x < width; x++) wide[row * width + x]! += c * horizontal[column * width + x]!;
          }
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++) {
            let total = 0;
            for (let row = 0; row < rows; row++)
              total += vertical[row * height + y]! * wide[row * width + x]!;
            out[pixelAt(image, channel, y, x)] = total;
          }
      }
    },
  };
}

/** `[count, length]`: the cosines of the `count` lowest frequencies at `length` places, each of length 1. */
function cosines(length: number, count: number): Float32Array {
  const table = new Float32Array(count * length);
  for (let k = 0; k < count; k++) {
    const norm = Math.sqrt((k === 0 ? 1 : 2) / length);
    for (let i = 0; i < length; i++)
      table[k * length + i] = norm * Math.cos((Math.PI * (2 * i + 1) * k) / (2 * length));
  }
  return table;
}
