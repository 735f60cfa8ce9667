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
  /** Tiles and bundles that became full: they never change again, and their partial versions are of no more use. */
  readonly full: readonly (LogFile & { readonly level: number | 'entries'; readonly index: number })[];
  /** All tiles and bundles to be written before the new size may be signed: the full ones and those at the right edge. */
  readonly files: readonly LogFile[];
}

/**
 * Adds entries at the right. Pure: nothing is written, and the old edge stays valid, so that a failed write changes nothing.
 * Errors: `option/invalid` for an entry of more than 65,535 bytes.
 */
export function grow(edge: TreeEdge, entries: readonly Uint8Array[]): Grown {
  return growFramed(edge, entries.map(framed));
}

/** {@link grow} for entries that have their lengths in front already. */
export function growFramed(edge: TreeEdge, frames: readonly Uint8Array[]): Grown {
  const grown = extend(edge, frames);
  return { ...grown, files: [...grown.full, ...partialTiles(grown.edge, edge.size)] };
}

/** {@link growFramed} without the tiles at the right edge, which only a size that will be signed needs. */
export function extend(edge: TreeEdge, frames: readonly Uint8Array[]): Pick<Grown, 'edge' | 'full'> {
  const levels = Array.from({ length: TILE_LEVELS }, (_, l) => [...(edge.levels[l] ?? [])]);
  const full: Grown['full'][number][] = [];
  let bundle = [...edge.bundle];
  let size = edge.size;
  const filled = (level: number | 'entries', index: number, bytes: Uint8Array) =>
    full.push({ level, index, path: tilePath({ level, index, width: TILE_WIDTH }), bytes });
  for (const frame of frames) {
    bundle.push(frame);
    levels[0]!.push(leafHash(frame.subarray(2)));
    size++;
    if (bundle.length === TILE_WIDTH) {
      filled('entries', Math.floor((size - 1) / TILE_WIDTH), Buffer.concat(bundle));
      bundle = [];
    }
    for (let level = 0; levels[level]?.length === TILE_WIDTH; level++) {
      const tile = Buffer.concat(levels[level]!);
      filled(level, Math.floor((hashesAt(level, size) - 1) / TILE_WIDTH), tile);
      levels[level] = [];
      levels[level + 1]!.push(rootWithin(tile, 0, TILE_HEIGHT));
    }
  }
  return { edge: { size, levels, bundle }, full };
}

/** The tiles and the bundle at the right edge that a tree of `since` leaves did not have, or had with fewer hashes. */
export function partialTiles({ size, levels, bundle }: TreeEdge, since: number): readonly LogFile[] {
  const files: LogFile[] = [];
  const write = (level: number | 'entries', hashes: number, parts: readonly Uint8Array[]) => {
    const index = Math.floor(hashes / TILE_WIDTH);
    files.push({ path: tilePath({ level, index, width: parts.length }), bytes: Buffer.concat(parts) });
  };
  if (bundle.length > 0 && size > since) write('entries', size, bundle);
  for (const [level, hashes] of levels.entries())
    if (hashes.length > 0 && hashesAt(level, size) > hashesAt(level, since))
      write(level, hashesAt(level, size), hashes);
  return files;
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
