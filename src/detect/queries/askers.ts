import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import type { StateArray } from '../state-bytes.ts';
import type { Found, Remembered } from './query-memory.ts';
import { recent } from './recent.ts';

/** Own queries of one asker that are compared with each new one, however much others have asked meanwhile. */
const OWN = 16;

/** One who asks, as the detector knows it. */
export interface Asker {
  /** A number that no other asker has had. */
  readonly id: number;
  asked: number;
  /** Near-duplicates in excess of the usual share. */
  share: number;
}

/** The last queries of one asker. */
export interface OwnQueries {
  nearest(cells: Float32Array, most: number): Found | undefined;
  add(cells: Float32Array, what: Remembered): void;
}

/** Those who asked last. */
export interface Askers {
  at(name: string): Asker & { readonly own: OwnQueries };
  keep(): { readonly plain: unknown; readonly arrays: Readonly<Record<string, StateArray>> };
  /** Errors: `result/invalid`. */
  restore(plain: unknown, arrays: Readonly<Record<string, StateArray>>): void;
}

interface Ring {
  readonly cells: Float32Array;
  readonly clusters: Uint32Array;
  readonly labels: Int32Array;
}

const kept = z.strictObject({
  next: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  list: z
    .array(
      z.tuple([
        z.string(),
        z.number().int().min(1),
        z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
        z.number().min(0),
        z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
      ]),
    )
    .max(2 ** 20),
});

/** Remembers `most` askers with {@link OWN} queries each; who asked least recently is forgotten first. Memory: `16 · (4 · cells + 8)` bytes each. */
export function askersOf(most: number, cells: number): Askers {
  if (!(Number.isInteger(most) && most >= 1 && most <= 2 ** 20))
    throw new GlacisError('option/invalid', `askers: expected a number from 1 to 2^20, got ${most}`);
  type Entry = Asker & { readonly own: OwnQueries; readonly ring: Ring; added: number };
  const known = recent<string, Entry>(most);
  let next = 1;
  const made = (id: number, ring: Ring): Entry => {
    const entry: Entry = {
      id,
      asked: 0,
      share: 0,
      added: 0,
      ring,
      own: {
        nearest(query, within) {
          let best = -1;
          let least = within * within;
          for (let slot = 0; slot < Math.min(OWN, entry.added); slot++) {
            let total = 0;
            for (let i = 0; i < cells && total < least; i++) {
              const gap = query[i]! - ring.cells[slot * cells + i]!;
              total += gap * gap;
            }
            if (!(total < least)) continue;
            least = total;
            best = slot;
          }
          if (best < 0) return undefined;
          const { clusters, labels } = ring;
          return {
            cluster: clusters[best]!,
            label: labels[best]!,
            distance: Math.sqrt(least),
            repeat: false,
          };
        },
        add(query, { cluster, label }) {
          const slot = entry.added % OWN;
          ring.cells.set(query.subarray(0, cells), slot * cells);
          ring.clusters[slot] = cluster;
          ring.labels[slot] = label;
          entry.added++;
        },
      },
    };
    return entry;
  };
  const fresh = (): Ring => ({
    cells: new Float32Array(OWN * cells),
    clusters: new Uint32Array(OWN),
    labels: new Int32Array(OWN),
  });
  return {
    at: (name) => known.at(name, () => made(next++, fresh())),
    keep() {
      const list = [...known.entries()];
      const joined = <A extends Float32Array | Uint32Array | Int32Array>(
        all: A,
        part: (ring: Ring) => A,
        width: number,
      ) => {
        for (const [i, [, { ring }]] of list.entries()) all.set(part(ring), i * width);
        return all;
      };
      return {
        plain: {
          next,
          list: list.map(([name, { id, asked, share, added }]) => [name, id, asked, share, added]),
        },
        arrays: {
          ownCells: joined(new Float32Array(list.length * OWN * cells), ({ cells: own }) => own, OWN * cells),
          ownClusters: joined(new Uint32Array(list.length * OWN), ({ clusters }) => clusters, OWN),
          ownLabels: joined(new Int32Array(list.length * OWN), ({ labels }) => labels, OWN),
        },
      };
    },
    restore(plain, arrays) {
      const read = kept.safeParse(plain);
      const { ownCells, ownClusters, ownLabels } = arrays;
      const n = read.data?.list.length ?? -1;
      if (
        !read.success ||
        !(ownCells instanceof Float32Array && ownCells.length === n * OWN * cells) ||
        !(ownClusters instanceof Uint32Array && ownClusters.length === n * OWN) ||
        !(ownLabels instanceof Int32Array && ownLabels.length === n * OWN)
      )
        throw new GlacisError('result/invalid', 'askers: expected what was kept, got something else');
      next = read.data.next;
      for (const [i, [name, id, asked, share, added]] of read.data.list.entries()) {
        const ring = {
          cells: ownCells.slice(i * OWN * cells, (i + 1) * OWN * cells),
          clusters: ownClusters.slice(i * OWN, (i + 1) * OWN),
          labels: ownLabels.slice(i * OWN, (i + 1) * OWN),
        };
        Object.assign(
          known.at(name, () => made(id, ring)),
          { asked, share, added },
        );
      }
    },
  };
}
