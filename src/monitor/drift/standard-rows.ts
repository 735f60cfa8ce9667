import type { Rows } from './rows.ts';

/** Features on one scale: mean 0 and deviation 1 on calm rows, no further than 6 deviations out, what is not finite at 0; constant ones left out. */
export interface StandardRows {
  readonly width: number;
  /** Which features they are. */
  readonly columns: readonly number[];
  /** Writes the row at `offset` of `values` to `out` from `at` on. */
  write(values: ArrayLike<number>, offset: number, out: Float64Array, at: number): void;
  /** All rows, `[n, width]`. */
  of(rows: Rows): Float64Array;
}

const FARTHEST = 6;

/** Learns the scale. One column of zeros where no feature varies. */
export function standardRows(calm: Rows): StandardRows {
  const columns: { readonly column: number; readonly mean: number; readonly scale: number }[] = [];
  for (let column = 0; column < calm.width; column++) {
    let [n, mean, squares] = [0, 0, 0];
    for (let i = 0; i < calm.n; i++) {
      const value = calm.values[i * calm.width + column]!;
      if (!Number.isFinite(value)) continue;
      n++;
      const gap = value - mean;
      mean += gap / n;
      squares += gap * (value - mean);
    }
    const deviation = Math.sqrt(squares / Math.max(1, n));
    if (deviation > 1e-6 * Math.abs(mean) && Number.isFinite(deviation))
      columns.push({ column, mean, scale: 1 / deviation });
  }
  if (columns.length === 0) columns.push({ column: 0, mean: 0, scale: 0 });
  const width = columns.length;
  const write: StandardRows['write'] = (values, offset, out, at) => {
    for (let k = 0; k < width; k++) {
      const { column, mean, scale } = columns[k]!;
      const value = (values[offset + column]! - mean) * scale;
      out[at + k] = Number.isNaN(value) ? 0 : Math.min(FARTHEST, Math.max(-FARTHEST, value));
    }
  };
  return {
    width,
    columns: columns.map(({ column }) => column),
    write,
    of(rows) {
      const out = new Float64Array(rows.n * width);
      for (let i = 0; i < rows.n; i++) write(rows.values, i * rows.width, out, i * width);
      return out;
    },
  };
}
