import type { Ball } from '../threat/norm.ts';

/** Sets what a constraint does not let change to 0 in every row of `directions`, which are as long as a sample. */
export function clearFixed({ constraint }: Ball, directions: Float32Array): void {
  const free = constraint?.free;
  if (!free) return;
  for (let i = 0, at = 0; i < directions.length; i++, at = at + 1 === free.length ? 0 : at + 1)
    if (!free[at]) directions[i] = 0;
}

/** Sets what a constraint does not let change back to the clean sample's values in every row of `points`. */
export function restoreFixed({ constraint }: Ball, x0: Float32Array, points: Float32Array): void {
  const free = constraint?.free;
  if (!free) return;
  for (let i = 0, at = 0; i < points.length; i++, at = at + 1 === free.length ? 0 : at + 1)
    if (!free[at]) points[i] = x0[at]!;
}

/** Numbers of the elements that may change. */
export function freeElements({ constraint }: Ball, size: number): Int32Array {
  const free = constraint?.free;
  const all = Int32Array.from({ length: size }, (_, i) => i);
  return free ? all.filter((i) => free[i]) : all;
}
