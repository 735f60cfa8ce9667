import { GlacisError } from '../../core/error.ts';
import { mixed, saltedHashes } from './salted-hashes.ts';

/** What is remembered of a query beside its cells. */
export interface Remembered {
  /** The cluster of near-duplicates that it belongs to. */
  readonly cluster: number;
  readonly label: number;
}

/** The nearest earlier query that was found. */
export interface Found extends Remembered {
  /** Euclidean distance of the cells; 0 of a repeat. */
  readonly distance: number;
  /** The samples are equal, bit for bit. */
  readonly repeat: boolean;
}

/** A query as {@link QueryMemory} compares it. */
export interface Query {
  readonly cells: Float32Array;
  /** Two hashes of the sample's bits. */
  readonly digest: readonly [number, number];
}

/** The last queries of everybody. */
export interface QueryMemory {
  /** The nearest of the queries that hashes nominate, within `most`; a near one is found nearly always, not always. Cost: some microseconds, whatever is remembered. */
  nearest(query: Query, most: number): Found | undefined;
  add(query: Query, what: Remembered): void;
  /** Number of the query that is added next, from 1; it wraps at 2³². */
  readonly next: () => number;
  /** Everything remembered, as arrays: of the same lengths for the same settings. */
  readonly arrays: Readonly<Record<string, Float32Array | Uint32Array | Int32Array>>;
}

/**
 * Remembers the last `capacity` queries (a power of two) as cells, and finds near ones through hashes: each slot of a fixed table holds the last query that had
 * such a hash. Memory is fixed: `capacity · (4 · cells + 16)` bytes and 128 a query for the table; the oldest are overwritten, and slots that
 * point to them are ignored.
 * Errors: `option/invalid` for another capacity.
 */
export function queryMemory(cells: number, step: number, capacity: number, salt: number): QueryMemory {
  if (!(Number.isInteger(Math.log2(capacity)) && capacity >= 16 && capacity <= 2 ** 22))
    throw new GlacisError(
      'option/invalid',
      `capacity: expected a power of two from 16 to 2^22, got ${capacity}`,
    );
  const hashes = saltedHashes(cells, step, salt);
  const slots = new Uint32Array(capacity * 32);
  const values = new Float32Array(capacity * cells);
  const digests = new Uint32Array(2 * capacity);
  const clusters = new Uint32Array(capacity);
  const labels = new Int32Array(capacity);
  const counter = Uint32Array.of(1);
  const places = new Uint32Array(hashes.count);
  /** The query whose hashes stand in `places`: what is looked for is mostly added next. */
  let hashed: Query | undefined;
  const last = slots.length - 1;
  const room = capacity - 1;
  const isHeld = (number: number) => number !== 0 && (counter[0]! - number) >>> 0 <= capacity;
  const placeOf = ([first, second]: Query['digest']) => mixed(first ^ Math.imul(second, 0x9e3779b1)) & last;
  return {
    next: () => counter[0]!,
    arrays: { slots, values, digests, clusters, labels, counter },
    nearest(query, most) {
      const { cells: own, digest } = query;
      const same = slots[placeOf(digest)]!;
      if (isHeld(same)) {
        const at = same & room;
        if (digests[2 * at] === digest[0] && digests[2 * at + 1] === digest[1])
          return { cluster: clusters[at]!, label: labels[at]!, distance: 0, repeat: true };
      }
      hashes.of(own, places);
      hashed = query;
      let best = -1;
      let least = most * most;
      let before = 0;
      for (let h = 0; h < places.length; h++) {
        const number = slots[places[h]! & last]!;
        if (number === before || !isHeld(number)) continue;
        before = number;
        const from = (number & room) * cells;
        let total = 0;
        for (let i = 0; i < cells && total < least; i++) {
          const gap = own[i]! - values[from + i]!;
          total += gap * gap;
        }
        if (!(total < least)) continue;
        least = total;
        best = number & room;
      }
      if (best < 0) return undefined;
      return { cluster: clusters[best]!, label: labels[best]!, distance: Math.sqrt(least), repeat: false };
    },
    add(query, { cluster, label }) {
      const { cells: own, digest } = query;
      const number = counter[0]!;
      const at = number & room;
      values.set(own.subarray(0, cells), at * cells);
      digests[2 * at] = digest[0];
      digests[2 * at + 1] = digest[1];
      clusters[at] = cluster;
      labels[at] = label;
      if (hashed !== query) hashes.of(own, places);
      hashed = undefined;
      for (let h = 0; h < places.length; h++) slots[places[h]! & last] = number;
      slots[placeOf(digest)] = number;
      // 0 stands for an empty slot.
      counter[0] = number + 1;
      if (counter[0] === 0) counter[0] = 1;
    },
  };
}
