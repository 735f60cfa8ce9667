import type { Rows } from './rows.ts';
import { standardRows } from './standard-rows.ts';

/** How many rows of a caller say something of their own: frames of a camera, retries and bursts are one. */
export type Distinct = (rows: Rows, caller: string) => number;

/** A row counts for nothing where it is nearer to one of its caller's last that counted than all but this share of pairs of calm rows are to each other. */
const SAME = 0.02;
const LATEST = 4;
const PAIRS = 2000;

/** Milliseconds within which calls of one caller are one run. */
export const RUN = 10_000;

/** Tells runs by inputs that are alike, and by the times of calls. */
export function distinctInputs(calm: Rows): Distinct {
  const standard = standardRows(calm);
  const { width } = standard;
  const before = standard.of(calm);
  const pairs = Float64Array.from({ length: calm.n < 2 ? 0 : PAIRS }, (_, k) => {
    const i = k % calm.n;
    // Another row each time round, far off: neighbours may be of one run.
    return squared(before, i, (i + (calm.n >> 1) + 7 * Math.floor(k / calm.n)) % calm.n, width);
  }).sort();
  const same = pairs[Math.floor(SAME * pairs.length)] ?? 0;
  return (rows, caller) => {
    const all = standard.of(rows);
    const latest: number[] = [];
    let count = 0;
    for (let i = 0; i < rows.n; i++) {
      if (rows.principals[i] !== caller) continue;
      if (latest.some((j) => squared(all, i, j, width) <= same)) continue;
      count++;
      latest.push(i);
      if (latest.length > LATEST) latest.shift();
    }
    return Math.min(count, distinctMoments(rows, caller));
  };
}

/** Tells runs by the times of calls alone. */
export const distinctMoments: Distinct = (rows, caller) => {
  let [count, last] = [0, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < rows.n; i++) {
    if (rows.principals[i] !== caller || Math.abs(rows.at[i]! - last) < RUN) continue;
    count++;
    last = rows.at[i]!;
  }
  return count;
};

function squared(all: Float64Array, i: number, j: number, width: number): number {
  let total = 0;
  for (let k = 0; k < width; k++) total += (all[i * width + k]! - all[j * width + k]!) ** 2;
  return total;
}
