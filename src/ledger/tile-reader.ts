import { GlacisError } from '../core/error.ts';
import type { LogSource } from './log-source.ts';
import { HASH_BYTES, type SubtreeReader } from './merkle.ts';
import { rootWithin, TILE_HEIGHT, TILE_WIDTH, tilePath, widthOf } from './tile.ts';

/** Tiles that are kept: 64 × 8 KiB. A proof in the largest tree reads 7. */
const KEPT = 64;

/**
 * Reads subtree hashes of a tree of `size` leaves from its tiles. They are not verified: what is made of them must be,
 * against a signed root. Memory: 512 KiB of tiles. Errors (of the reader): `ledger/unreadable`.
 */
export function tileReader(source: LogSource, size: number): SubtreeReader {
  const kept = new Map<string, Promise<Uint8Array>>();
  const tile = (level: number, index: number): Promise<Uint8Array> => {
    const path = tilePath({ level, index, width: TILE_WIDTH });
    const found = kept.get(path) ?? readTile(source, level, index, size);
    kept.delete(path);
    kept.set(path, found);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
    return found;
  };
  return async (height, index) => {
    const level = Math.floor(height / TILE_HEIGHT);
    const within = height % TILE_HEIGHT;
    const first = index * 2 ** within;
    const hashes = await tile(level, Math.floor(first / TILE_WIDTH));
    return rootWithin(hashes, first % TILE_WIDTH, within);
  };
}

/** A tile of hashes with the width that a tree of `size` leaves gives it. Errors: `ledger/unreadable`. */
export async function readTile(
  source: LogSource,
  level: number,
  index: number,
  size: number,
): Promise<Uint8Array> {
  const width = widthOf(level, index, size);
  const found = await readVersion(source, { level, index, width }, TILE_WIDTH * HASH_BYTES);
  const bytes = width * HASH_BYTES;
  if (found.bytes.length !== found.width * HASH_BYTES)
    throw new GlacisError(
      'ledger/unreadable',
      `${found.path}: expected ${found.width} hashes, got ${found.bytes.length} bytes`,
    );
  return found.bytes.subarray(0, bytes);
}

/** A tile or bundle as it lies in the source: a partial one may have been replaced by the full one meanwhile. */
export async function readVersion(
  source: LogSource,
  name: { readonly level: number | 'entries'; readonly index: number; readonly width: number },
  most: number,
): Promise<{ readonly bytes: Uint8Array; readonly path: string; readonly width: number }> {
  for (const width of new Set([name.width, TILE_WIDTH])) {
    const path = tilePath({ ...name, width });
    const bytes = width > 0 ? await source.read(path, most) : undefined;
    if (bytes !== undefined) return { bytes, path, width };
  }
  throw new GlacisError(
    'ledger/unreadable',
    `${tilePath(name)}: expected a tile of the log, but it is not there`,
  );
}
