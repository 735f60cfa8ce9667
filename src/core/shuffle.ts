import type { Rng } from './random.ts';

/** A list whose places can be written: an array, or a typed one. */
interface Writable<T> {
  readonly length: number;
  [place: number]: T;
}

/** Puts `list` into random order, in place, and gives it back (Fisher and Yates). One draw for each element but the first. */
export function shuffle<T, List extends Writable<T>>(list: List & Writable<T>, rng: Rng): List {
  for (let i = list.length - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    const other = list[j]!;
    list[j] = list[i]!;
    list[i] = other;
  }
  return list;
}
