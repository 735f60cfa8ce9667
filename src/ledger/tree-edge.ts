import { GlacisError } from '../core/error.ts';
import type { CheckpointBody } from './checkpoint-body.ts';
import { framed, MOST_BUNDLE_BYTES, readBundle } from './entry-bundle.ts';
import type { LogSource } from './log-source.ts';
import type { LogFile } from './log-store.ts';
import { HASH_BYTES, leafHash, rootOf, sameHash } from './merkle.ts';
import { hashesAt, rootWithin, TILE_HEIGHT, TILE_LEVELS, TILE_WIDTH, tilePath, widthOf } from './tile.ts';
import { readTile, readVersion } from './tile-reader.ts';

/**
 * The right edge of a tree: all that must be known to add leaves. Level `l` holds the hashes that are not yet part of a
 * full tile, fewer than 256. Memory: at most 7 × 8 KiB and a bundle (16 MiB when all its entries have full length).
 */
export interface TreeEdge {
  readonly size: number;
  readonly levels: readonly (readonly Uint8Array[])[];
  /** The entries of the last bundle, with their lengths, while it is not full. */
  readonly bundle: readonly Uint8Array[];
}

/** The edge of a tree without leaves. */
export const EMPTY_EDGE: TreeEdge = Object.freeze({ size: 0, levels: [], bundle: [] });

/** What adding entries changes. */
export interface Grown {
  readonly edge: TreeEdge;
  /** Tiles and bundles to be written before the new size may be signed. */
  readonly files: readonly LogFile[];
  /** Tiles and bundles that became full: their partial versions are of no more use. */
  readonly filled: readonly { readonly level: number | 'entries'; readonly index: number }[];
}

/**
 * Adds entries at the right. Pure: nothing is written, and the old edge stays valid, so that a failed write changes nothing.
 * Errors: `option/invalid` for an entry of more than 65,535 bytes.
 */
export function grow(edge: TreeEdge, entries: readonly Uint8Array[]): Grown {
  const levels = Array.from({ length: TILE_LEVELS }, (_, l) => [...(edge.levels[l] ?? [])]);
  const files: LogFile[] = [];
  const filled: Grown['filled'][number][] = [];
  const touched = new Set<number>();
  let bundle = [...edge.bundle];
  let size = edge.size;
  const write = (level: number | 'entries', index: number, parts: readonly Uint8Array[]) => {
    files.push({ path: tilePath({ level, index, width: parts.length }), bytes: Buffer.concat(parts) });
    if (parts.length === TILE_WIDTH) filled.push({ level, index });
  };
  for (const entry of entries) {
    bundle.push(framed(entry));
    levels[0]!.push(leafHash(entry));
    size++;
    touched.add(0);
    if (bundle.length === TILE_WIDTH) {
      write('entries', Math.floor((size - 1) / TILE_WIDTH), bundle);
      bundle = [];
    }
    for (let level = 0; levels[level]?.length === TILE_WIDTH; level++) {
      const hashes = levels[level]!;
      write(level, Math.floor((hashesAt(level, size) - 1) / TILE_WIDTH), hashes);
      levels[level] = [];
      levels[level + 1]!.push(rootWithin(Buffer.concat(hashes), 0, TILE_HEIGHT));
      touched.add(level + 1);
    }
  }
  if (bundle.length > 0) write('entries', Math.floor(size / TILE_WIDTH), bundle);
  for (const level of touched)
    if (levels[level]!.length > 0)
      write(level, Math.floor(hashesAt(level, size) / TILE_WIDTH), levels[level]!);
  return { edge: { size, levels, bundle }, files, filled };
}

/** The root of the tree with this edge. */
export function rootOfEdge({ size, levels }: TreeEdge): Promise<Uint8Array> {
  return rootOf(size, (height, index) => {
    // Every complete subtree at the right edge lies in the partial tile of its level.
    const level = Math.floor(height / TILE_HEIGHT);
    const within = height % TILE_HEIGHT;
    const first = index * 2 ** within - (hashesAt(level, size) - (levels[level]?.length ?? 0));
    return rootWithin(Buffer.concat(levels[level] ?? []), first, within);
  });
}

/**
 * Reads the edge of the tree that a checkpoint describes, and checks that it leads to the checkpoint's root.
 * Errors: `ledger/unreadable`; `ledger/untrusted` when a tile was changed.
 */
export async function readEdge(source: LogSource, { origin, size, root }: CheckpointBody): Promise<TreeEdge> {
  const levels: Uint8Array[][] = [];
  for (let level = 0; level < TILE_LEVELS; level++) {
    const index = Math.floor(hashesAt(level, size) / TILE_WIDTH);
    const width = widthOf(level, index, size);
    const tile = width > 0 ? await readTile(source, level, index, size) : new Uint8Array();
    levels.push(Array.from({ length: width }, (_, i) => tile.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES)));
  }
  const index = Math.floor(size / TILE_WIDTH);
  const width = size % TILE_WIDTH;
  let bundle: readonly Uint8Array[] = [];
  if (width > 0) {
    const found = await readVersion(source, { level: 'entries', index, width }, MOST_BUNDLE_BYTES);
    bundle = readBundle(found.bytes, found.width, found.path).slice(0, width).map(framed);
  }
  const edge = { size, levels, bundle };
  const agrees = bundle.every((frame, i) => sameHash(leafHash(frame.subarray(2)), levels[0]![i]!));
  if (!agrees || !sameHash(await rootOfEdge(edge), root))
    throw new GlacisError(
      'ledger/untrusted',
      `log ${origin}: expected tiles that lead to the root that was signed for ${size} entries; they were changed`,
    );
  return edge;
}
