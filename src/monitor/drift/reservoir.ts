import type { Rng } from '../../core/random.ts';
import type { Rows } from './rows.ts';

/** A fair choice of at most `most` of all rows that came: memory is bounded whatever the traffic. */
export interface Reservoir {
  /** Takes the row at `offset` of `values`. */
  offer(values: ArrayLike<number>, offset: number, principal: string, decision: string, at: number): void;
  /** Rows that were offered. */
  readonly seen: number;
  readonly size: number;
  /** Times of the earliest and the latest row that was offered; 0 without any. */
  readonly first: number;
  readonly last: number;
  /** Copies of the rows, in the order in which they came. */
  rows(): Rows;
  clear(): void;
  /** Begins with these rows, of `seen` that were offered. */
  fill(rows: Rows, seen: number): void;
}

/** More than places of any reservoir. */
const PLACES = 2 ** 15;

/** Opens one for rows of `width` numbers. Cost of a row that is not chosen: a comparison (Li 1994, "Reservoir-sampling algorithms of time complexity O(n(1 + log(N/n)))", algorithm L). */
export function openReservoir(width: number, most: number, rng: Rng): Reservoir {
  const values = new Float32Array(most * width);
  const at = new Float64Array(most);
  // When each row came, with its place in the lower bits: sorted, these are the places in order.
  const keys = new Float64Array(most);
  const principals: string[] = [];
  const decisions: string[] = [];
  let [seen, size, first, last] = [0, 0, 0, 0];
  let [weight, next] = [1, 0];
  const skip = () => {
    // The largest of `most` uniform numbers that would still be chosen, and how many rows pass until one is.
    weight *= Math.exp(Math.log(1 - rng.uniform()) / most);
    next = seen + Math.floor(Math.log(1 - rng.uniform()) / Math.log1p(-weight)) + 1;
  };
  return {
    get seen() {
      return seen;
    },
    get size() {
      return size;
    },
    get first() {
      return first;
    },
    get last() {
      return last;
    },
    offer(given, offset, principal, decision, time) {
      if (seen === 0) {
        first = time;
        last = time;
      } else if (time > last) last = time;
      else if (time < first) first = time;
      seen++;
      let place = size;
      if (size === most) {
        if (seen < next) return;
        place = rng.integer(most);
        skip();
      } else size++;
      for (let i = 0; i < width; i++) values[place * width + i] = given[offset + i]!;
      principals[place] = principal;
      decisions[place] = decision;
      at[place] = time;
      keys[place] = seen * PLACES + place;
      if (size === most && next === 0) skip();
    },
    rows() {
      const order = Array.from(keys.slice(0, size).sort(), (key) => key % PLACES);
      const sorted = new Float32Array(size * width);
      for (let i = 0; i < size; i++)
        for (let k = 0; k < width; k++) sorted[i * width + k] = values[order[i]! * width + k]!;
      return {
        n: size,
        width,
        values: sorted,
        principals: order.map((from) => principals[from]!),
        decisions: order.map((from) => decisions[from]!),
        at: Float64Array.from(order, (from) => at[from]!),
      };
    },
    clear() {
      [seen, size, first, last, weight, next] = [0, 0, 0, 0, 1, 0];
      principals.length = 0;
      decisions.length = 0;
    },
    fill(rows, offered) {
      this.clear();
      for (let i = 0; i < Math.min(rows.n, most); i++)
        this.offer(rows.values, i * width, rows.principals[i]!, rows.decisions[i]!, rows.at[i]!);
      // As if the rest had been offered and not chosen.
      while (size === most && seen < offered && next <= offered) {
        seen = next;
        skip();
      }
      seen = Math.max(seen, offered);
    },
  };
}
