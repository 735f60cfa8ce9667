import type { Rng } from '../../../../src/core/random.ts';

/** Rows of a table, or windows of a series, with what is known of them. */
export interface World {
  readonly name: 'credit' | 'cancer' | 'bars';
  /** Of one sample, as the network takes it. */
  readonly dims: readonly number[];
  /** In the owner's units, one sample a row. */
  readonly rows: readonly Float64Array[];
  readonly labels: readonly number[];
  /** Of each element: the network sees `(value − mean) / std`. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Learns from rows how far a further one goes: 0 in the middle. */
  spreadOf(rows: readonly Float64Array[]): (row: Float64Array) => number;
  /** The constraint file: what is known beforehand and, with a limit of {@link spreadOf}'s score, ranges as wide as that. */
  file(rows: readonly Float64Array[], limit: number | undefined): object;
  /** What goes wrong without an attacker, by name; the other row is one of the same world. */
  readonly accidents: Readonly<
    Record<string, (row: Float64Array, rng: Rng, other: Float64Array) => ArrayLike<number>>
  >;
}

/** A row as the network sees it. */
export function standardised(
  { mean, std }: Pick<World, 'mean' | 'std'>,
  row: ArrayLike<number>,
): Float32Array {
  return Float32Array.from(row, (value, i) => (value - mean[i]!) / std[i]!);
}

/** The same numbers in the same order for the same rows: `[…samples, …elements]`. */
export function packed(world: World, rows: readonly ArrayLike<number>[]): Float32Array {
  const size = world.mean.length;
  const x = new Float32Array(rows.length * size);
  for (const [i, row] of rows.entries()) x.set(standardised(world, row), i * size);
  return x;
}

/** Middle of a column, and its distance from the tenth below and above: what ranges are counted in. */
export interface Spread {
  readonly middle: number;
  readonly below: number;
  readonly above: number;
}

/** {@link Spread} of each of these columns. A column whose tenths are its middle gets the width 1. */
export function spreadsOf(rows: readonly Float64Array[], columns: readonly number[]): readonly Spread[] {
  return columns.map((column) => {
    const sorted = Float64Array.from(rows, (row) => row[column]!).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
    const middle = at(0.5);
    return { middle, below: middle - at(0.1) || 1, above: at(0.9) - middle || 1 };
  });
}

/** How many spreads a row goes from the middle in the column where it goes farthest. */
export function farthest(row: Float64Array, columns: readonly number[], spreads: readonly Spread[]): number {
  let most = 0;
  for (const [k, column] of columns.entries()) {
    const { middle, below, above } = spreads[k]!;
    const off = row[column]! - middle;
    most = Math.max(most, off < 0 ? -off / below : off / above);
  }
  return most;
}

/** The range that a limit of {@link farthest} allows a column, and what `known` says beside. */
export function rangeOf(
  { middle, below, above }: Spread,
  limit: number,
  known: { readonly min?: number; readonly max?: number } = {},
): { readonly min: number; readonly max: number } {
  return {
    min: Math.max(known.min ?? Number.NEGATIVE_INFINITY, middle - limit * below),
    max: Math.min(known.max ?? Number.POSITIVE_INFINITY, middle + limit * above),
  };
}
