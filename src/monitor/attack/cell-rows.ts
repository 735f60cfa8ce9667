import type { Sighting } from '../sighting.ts';
import { rowsOf } from './sketched-rows.ts';

/** The cells of a sketched sample. */
export interface CellRow {
  readonly sighting: Sighting;
  readonly cells: Float32Array;
  readonly label: number;
  readonly score: number;
}

/** Shares of calm samples that have one of another client within `radius` and `reach`, and samples on which that is measured. */
const NEAR = 0.01;
const REACHED = 0.1;
const MEASURED = 1500;

/** Features that are cells: what comes after them in a sketch are statistics. */
export function cellsOfFeatures(features: readonly string[]): number {
  const first = features.indexOf('mean');
  return features[0]?.startsWith('cell ') && first > 0 ? first : features.length;
}

/** Reads the first `cells` features of each sketched sample; what is no number is 0. */
export function cellRowsOf(sighting: Sighting, width: number, cells: number): readonly CellRow[] {
  return rowsOf(sighting, width).map(({ values, at, label, score }) => {
    const own = values.slice(at, at + cells);
    for (let i = 0; i < cells; i++) if (!Number.isFinite(own[i]!)) own[i] = 0;
    return { sighting, cells: own, label, score };
  });
}

/** What each cell is divided by: 1 for means of cells, which have one unit; the deviation of a table's column. */
export function scaleOf(rows: readonly CellRow[], features: readonly string[], cells: number): Float32Array {
  const scale = new Float32Array(cells).fill(1);
  if (features[0]?.startsWith('cell ')) return scale;
  for (let i = 0; i < cells; i++) {
    let [sum, squares] = [0, 0];
    for (const { cells: own } of rows) {
      sum += own[i]!;
      squares += own[i]! * own[i]!;
    }
    const mean = sum / rows.length;
    const deviation = Math.sqrt(Math.max(0, squares / rows.length - mean * mean));
    if (deviation > 0 && Number.isFinite(deviation)) scale[i] = deviation;
  }
  return scale;
}

/**
 * How near calm samples of different clients are to each other: quantiles of the distance to the nearest of another client, over up to {@link MEASURED} samples; repeats are left out. Undefined where that says
 * nothing.
 */
export function usualDistances(
  rows: readonly CellRow[],
  scale: Float32Array,
  cells: number,
): { readonly radius: number; readonly reach: number } | undefined {
  const stride = Math.max(1, rows.length / MEASURED);
  const drawn: Float32Array[] = [];
  const owners: string[] = [];
  for (let at = 0; at < rows.length; at += stride) {
    const { cells: own, sighting } = rows[Math.floor(at)]!;
    drawn.push(joined(own, scale, cells));
    owners.push(sighting.principal ?? sighting.address);
  }
  const alone = new Set(owners).size < 2;
  const width = drawn[0]?.length ?? 0;
  const distances: number[] = [];
  for (const [i, own] of drawn.entries()) {
    let least = Number.POSITIVE_INFINITY;
    for (const [j, other] of drawn.entries()) {
      if (alone ? i === j : owners[i] === owners[j]) continue;
      let total = 0;
      for (let k = 0; k < width && total < least; k++) total += (own[k]! - other[k]!) ** 2;
      if (total > 0 && total < least) least = total;
    }
    if (Number.isFinite(least)) distances.push(Math.sqrt(least));
  }
  distances.sort((a, b) => a - b);
  if (distances.length < 50) return undefined;
  const at = (share: number) => distances[Math.floor(share * distances.length)]!;
  const [radius, reach] = [at(NEAR), at(REACHED)];
  return radius > 0 && Number.isFinite(reach) ? { radius, reach: Math.max(reach, radius) } : undefined;
}

/** Runs of cells averaged as the detector does: 64 numbers at most. */
function joined(own: Float32Array, scale: Float32Array, cells: number): Float32Array {
  const runs = Math.min(64, cells);
  const out = new Float32Array(runs);
  const members = new Float32Array(runs);
  for (let i = 0; i < cells; i++) {
    const run = Math.floor((i * runs) / cells);
    out[run]! += own[i]! / scale[i]!;
    members[run]!++;
  }
  for (let i = 0; i < runs; i++) out[i]! /= members[i]!;
  return out;
}
