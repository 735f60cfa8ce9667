import { normalTail } from '../../core/statistics/normal.ts';
import { whitening } from '../../detect/features/cholesky.ts';
import { columnsTest } from './columns-test.ts';
import { crossProducts } from './cross-products.ts';
import type { Rows } from './rows.ts';
import { standardRows } from './standard-rows.ts';
import { shown, type WindowTest } from './window-test.ts';

/** Ridge of the regressions, in rows. */
const RIDGE = 1;
/** A feed that the other features say less about cannot be held against them. */
const LEAST_SHARE = 0.2;
/** Rows by which a feed may be late, at most. */
const MOST_LAG = 64;

/**
 * Whether named features still go with the others: each is predicted from the rest (linear, learnt on calm rows), and what is left over is tested like a feature. A feed that is late or was
 * replaced has values as ever and goes with nothing. Where the others say little about it (less than a fifth of its variance), that cannot be seen, and it is left out.
 */
export function feedTest(
  calm: Rows,
  names: readonly string[],
  feeds: readonly string[],
): WindowTest & { readonly watched: readonly string[] } {
  const standard = standardRows(calm);
  const x = standard.of(calm);
  const { width, columns } = standard;
  const models = feeds.flatMap((feed) => {
    const place = columns.indexOf(names.indexOf(feed));
    if (place < 0 || width < 2) return [];
    const weights = regress(x, calm.n, width, place);
    if (weights === undefined) return [];
    const left = residuals(x, calm.n, width, place, weights);
    return 1 - variance(left) / Math.max(1e-9, variance(columnOf(x, calm.n, width, place))) < LEAST_SHARE
      ? []
      : [{ feed, place, weights }];
  });
  const watched = models.map(({ feed }) => feed);
  const leftOver = (rows: Rows): Rows => {
    const at = standard.of(rows);
    const values = new Float32Array(rows.n * models.length);
    for (const [k, { place, weights }] of models.entries()) {
      const left = residuals(at, rows.n, width, place, weights);
      for (let i = 0; i < rows.n; i++) values[i * models.length + k] = left[i]!;
    }
    return { ...rows, width: models.length, values };
  };
  const test = columnsTest(leftOver(calm), {
    names: watched.map((feed) => `${feed} beside the other features`),
  });
  return {
    watched,
    test(rows) {
      const found = test.test(leftOver(rows));
      const at = standard.of(rows);
      const late = models.flatMap(({ feed, place, weights }) => {
        const lag = lagOf(at, rows.n, width, place, weights);
        return lag === undefined
          ? []
          : [
              `${feed} is as it should have been ${lag} rows earlier (${shown(((rows.at[rows.n - 1]! - rows.at[0]!) / 1000 / rows.n) * lag)} s)`,
            ];
      });
      const replaced = 'It may be late, or of another source.';
      return {
        ...found,
        speaks: (other) => found.speaks(leftOver(other)),
        why: `${found.why} ${late.length > 0 ? `${late.join('; ')}.` : replaced}`,
        faults: [],
      };
    },
  };
}

const columnOf = (x: Float64Array, n: number, width: number, place: number) =>
  Float64Array.from({ length: n }, (_, i) => x[i * width + place]!);

function variance(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

/** Weights of the other columns, by ridge regression; the one of the column itself is 0. */
function regress(x: Float64Array, n: number, width: number, place: number): Float64Array | undefined {
  const gram = new Float64Array(width * width);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < width; k++) {
      const value = x[i * width + k]!;
      if (value !== 0) for (let l = 0; l < width; l++) gram[k * width + l]! += value * x[i * width + l]!;
    }
  const rest = Array.from({ length: width }, (_, k) => k).filter((k) => k !== place);
  const size = rest.length;
  const square = new Float64Array(size * size);
  for (const [i, k] of rest.entries())
    for (const [j, l] of rest.entries()) square[i * size + j] = gram[k * width + l]!;
  const w = whitening(square, size, RIDGE);
  if (w === undefined) return undefined;
  // (G + ridge)⁻¹ g = WᵀW g
  const inner = new Float64Array(size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) inner[i]! += w[i * size + j]! * gram[rest[j]! * width + place]!;
  const weights = new Float64Array(width);
  for (let j = 0; j < size; j++)
    for (let i = j; i < size; i++) weights[rest[j]!]! += w[i * size + j]! * inner[i]!;
  return weights;
}

function residuals(
  x: Float64Array,
  n: number,
  width: number,
  place: number,
  weights: Float64Array,
): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => x[i * width + place]! - predicted(x, i, width, weights));
}

function predicted(x: Float64Array, row: number, width: number, weights: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < width; k++) sum += weights[k]! * x[row * width + k]!;
  return sum;
}

/** By how many rows the column is late: the lag at which it goes best with what the others say, if it goes clearly better than now. */
function lagOf(
  x: Float64Array,
  n: number,
  width: number,
  place: number,
  weights: Float64Array,
): number | undefined {
  const own = columnOf(x, n, width, place);
  const said = Float64Array.from({ length: n }, (_, i) => predicted(x, i, width, weights));
  let [best, most] = [0, -1];
  let now = 0;
  for (let lag = 0; lag <= Math.min(MOST_LAG, n >> 2); lag++) {
    const r = correlation(own.subarray(lag), said.subarray(0, n - lag));
    if (lag === 0) now = r;
    if (r > most) [best, most] = [lag, r];
  }
  if (best === 0) return undefined;
  // Fisher's z of both, as if independent, corrected for the number of lags.
  const z =
    ((Math.atanh(Math.min(0.999, most)) - Math.atanh(Math.max(-0.999, now))) * Math.sqrt(n - best - 3)) /
    Math.SQRT2;
  return most > 0.3 && normalTail(z) * MOST_LAG < 0.001 ? best : undefined;
}

function correlation(a: Float64Array, b: Float64Array): number {
  const { ab, aa, bb } = crossProducts(a, b);
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
