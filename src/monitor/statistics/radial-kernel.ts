import type { Rng } from '../../core/random.ts';

/** Pairs from which a typical distance is taken. */
const MOST_PAIRS = 4000;

/** Squared Euclidean distance of row i of `a` and row j of `b`. */
export function squaredDistance(
  a: ArrayLike<number>,
  i: number,
  b: ArrayLike<number>,
  j: number,
  width: number,
): number {
  let sum = 0;
  for (let k = 0; k < width; k++) {
    const gap = a[i * width + k]! - b[j * width + k]!;
    sum += gap * gap;
  }
  return sum;
}

/**
 * The median heuristic: the median distance of two rows, from at most 4,000 pairs drawn at random. 1 where all rows are equal. Rows are row-major, `[n, width]`, finite.
 * @see Gretton et al. 2012, "A kernel two-sample test", JMLR 13, section 8
 */
export function medianDistance(rows: ArrayLike<number>, n: number, width: number, rng: Rng): number {
  if (n < 2) return 1;
  const all = (n * (n - 1)) / 2;
  const found: number[] = [];
  if (all <= MOST_PAIRS) {
    for (let i = 0; i < n; i++)
      for (let j = 0; j < i; j++) found.push(squaredDistance(rows, i, rows, j, width));
  } else {
    while (found.length < MOST_PAIRS) {
      const [i, j] = [rng.integer(n), rng.integer(n)];
      if (i !== j) found.push(squaredDistance(rows, i, rows, j, width));
    }
  }
  found.sort((a, b) => a - b);
  // Where most rows are equal, the median of the distances that are any.
  const from = found.findIndex((value) => value > 0);
  if (from < 0) return 1;
  const middle = found[found.length >> 1]!;
  return Math.sqrt(middle > 0 ? middle : found[(from + found.length) >> 1]!);
}

/** Values of features of a row, written to `into` from `at` on. */
export interface FeatureMap {
  readonly size: number;
  write(rows: ArrayLike<number>, row: number, into: Float64Array, at: number): void;
}

/**
 * Random Fourier features: `size` numbers a row (even) whose products are, on average, the Gaussian kernel exp(−‖x − y‖² / (2σ²)). With them the distance of two samples
 * costs their size, not its square.
 * @see Rahimi & Recht 2007, "Random features for large-scale kernel machines"
 */
export function fourierFeatures(width: number, size: number, bandwidth: number, rng: Rng): FeatureMap {
  const waves = size >> 1;
  const directions = Float64Array.from({ length: waves * width }, () => rng.normal() / bandwidth);
  const scale = Math.sqrt(1 / waves);
  return {
    size: 2 * waves,
    write(rows, row, into, at) {
      for (let k = 0; k < waves; k++) {
        let sum = 0;
        for (let i = 0; i < width; i++) sum += directions[k * width + i]! * rows[row * width + i]!;
        into[at + 2 * k] = scale * Math.cos(sum);
        into[at + 2 * k + 1] = scale * Math.sin(sum);
      }
    },
  };
}

/** exp(−‖x − c‖² / (2σ²)) for each of `n` centres. */
export function kernelFeatures(
  centres: ArrayLike<number>,
  n: number,
  width: number,
  bandwidth: number,
): FeatureMap {
  return {
    size: n,
    write(rows, row, into, at) {
      for (let c = 0; c < n; c++)
        into[at + c] = Math.exp(-squaredDistance(rows, row, centres, c, width) / (2 * bandwidth * bandwidth));
    },
  };
}
