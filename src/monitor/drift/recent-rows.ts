import type { Rows } from './rows.ts';

/** The last rows that came. */
export interface RecentRows {
  offer(values: ArrayLike<number>, offset: number, principal: string, decision: string, at: number): void;
  /** Copies, the oldest first. */
  rows(): Rows;
}

/** Opens one of `size` rows of `width` numbers. */
export function openRecentRows(width: number, size: number): RecentRows {
  const values = new Float32Array(size * width);
  const times = new Float64Array(size);
  const principals: string[] = [];
  const decisions: string[] = [];
  let n = 0;
  return {
    offer(given, offset, principal, decision, at) {
      const place = n++ % size;
      for (let i = 0; i < width; i++) values[place * width + i] = given[offset + i]!;
      principals[place] = principal;
      decisions[place] = decision;
      times[place] = at;
    },
    rows() {
      const count = Math.min(n, size);
      const order = Array.from({ length: count }, (_, i) => (n - count + i) % size);
      const sorted = new Float32Array(count * width);
      for (let i = 0; i < count; i++)
        for (let k = 0; k < width; k++) sorted[i * width + k] = values[order[i]! * width + k]!;
      return {
        ...{ n: count, width, values: sorted },
        principals: order.map((from) => principals[from]!),
        decisions: order.map((from) => decisions[from]!),
        at: Float64Array.from(order, (from) => times[from]!),
      };
    },
  };
}
