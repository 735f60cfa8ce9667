import { isMissing, leavesOf, NO_HASH } from './bundle-check.ts';
import type { BundleRoots } from './bundle-roots.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type Files, hashAt } from './log-files.ts';
import { HASH_BYTES, nodeHash, rootOf, type SubtreeReader, sameHash } from './merkle.ts';
import { hashesAt, TILE_HEIGHT, TILE_WIDTH, widthOf } from './tile.ts';

/** The hashes of a level as the stored tiles have them, zeros where one is missing. */
export async function storedHashes(files: Files, level: number, size: number): Promise<Uint8Array> {
  const count = hashesAt(level, size);
  const hashes = Buffer.alloc(count * HASH_BYTES);
  for (let index = 0; index * TILE_WIDTH < count; index++) {
    const width = widthOf(level, index, size);
    const bytes = await files(level, index, width);
    bytes?.copy(hashes, index * TILE_WIDTH * HASH_BYTES, 0, width * HASH_BYTES);
  }
  return hashes;
}

/** Leaf hashes of the last bundle, when it is not full: from its entries, and as its tile has them. */
export interface LastTile {
  readonly ofEntries: Uint8Array;
  readonly ofTile: Uint8Array;
  /** Whether the bundle holds exactly its entries. */
  readonly isWhole: boolean;
}

/** Reads it. */
export async function lastTile(files: Files, size: number): Promise<LastTile> {
  const index = Math.floor(size / TILE_WIDTH);
  const width = size % TILE_WIDTH;
  if (width === 0) return { ofEntries: new Uint8Array(), ofTile: new Uint8Array(), isWhole: true };
  const [bundle, tile] = [await files('entries', index, width), await files(0, index, width)];
  const found = bundle && leavesOf(bundle);
  return {
    ofEntries: (found?.leaves ?? NO_HASH).subarray(0, width * HASH_BYTES),
    ofTile: tile ?? NO_HASH,
    isWhole: found?.whole === true && found.leaves.length === width * HASH_BYTES,
  };
}

/** Hashes that lead to the signed root. */
export interface RightHashes {
  readonly level1: Uint8Array;
  readonly leaves: Uint8Array;
}

/** Which of the witnesses lead to the signed root: one of them throughout, or for each bundle what two of three say. */
export async function rightHashes(
  { entries, tiles }: BundleRoots,
  above: Uint8Array,
  last: LastTile,
  { size, root }: Checkpoint,
): Promise<RightHashes | undefined> {
  const most = Buffer.from(above);
  for (let n = 0; n * HASH_BYTES < most.length; n++) {
    const ofEntries = hashAt(entries, n);
    if (!isMissing(ofEntries) && sameHash(ofEntries, hashAt(tiles, n))) most.set(ofEntries, n * HASH_BYTES);
  }
  const tried: Uint8Array[] = [];
  for (const level1 of [entries, above, tiles, most]) {
    if (tried.some((other) => Buffer.compare(other, level1) === 0)) continue;
    tried.push(level1);
    for (const leaves of sameHash(last.ofEntries, last.ofTile)
      ? [last.ofTile]
      : [last.ofEntries, last.ofTile]) {
      if (leaves.length !== (size % TILE_WIDTH) * HASH_BYTES) continue;
      const reached = await rootOf(size, subtrees(level1, leaves, size));
      if (sameHash(reached, root)) return { level1, leaves };
    }
  }
  return undefined;
}

/** Subtree hashes from the hashes of level 1 and the leaf hashes behind them. */
function subtrees(level1: Uint8Array, leaves: Uint8Array, size: number): SubtreeReader {
  const first = Math.floor(size / TILE_WIDTH) * TILE_WIDTH;
  return (height, index) =>
    height < TILE_HEIGHT
      ? fold(leaves, index * 2 ** height - first, height)
      : fold(level1, index * 2 ** (height - TILE_HEIGHT), height - TILE_HEIGHT);
}

/**
 * Whether the first entries of a log of `size` lead to a root that was seen. Their last bundle counts as its entries or as its tile has it: one of both may
 * be damaged, and that is a finding of its own.
 */
export async function reaches(
  files: Files,
  level1: Uint8Array,
  earlier: Pick<Checkpoint, 'size' | 'root'>,
  size: number,
): Promise<boolean> {
  const index = Math.floor(earlier.size / TILE_WIDTH);
  const wanted = (earlier.size % TILE_WIDTH) * HASH_BYTES;
  const width = widthOf('entries', index, size);
  const bundle = wanted > 0 ? await files('entries', index, width) : undefined;
  const tile = wanted > 0 ? await files(0, index, width) : undefined;
  for (const leaves of wanted === 0 ? [NO_HASH] : [bundle && leavesOf(bundle).leaves, tile]) {
    if (leaves === undefined || leaves.length < wanted) continue;
    if (sameHash(await rootOf(earlier.size, subtrees(level1, leaves, earlier.size)), earlier.root))
      return true;
  }
  return false;
}

/** The root over `2^height` hashes from the one at `start` on. */
export function fold(hashes: Uint8Array, start: number, height: number): Uint8Array {
  if (height === 0) return hashAt(hashes, start);
  const half = 2 ** (height - 1);
  return nodeHash(fold(hashes, start, height - 1), fold(hashes, start + half, height - 1));
}
