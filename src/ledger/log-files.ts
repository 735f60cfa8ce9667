import { GlacisError } from '../core/error.ts';
import { MOST_BUNDLE_BYTES } from './entry-bundle.ts';
import type { LogSource } from './log-source.ts';
import { HASH_BYTES } from './merkle.ts';
import { TILE_WIDTH, tilePath } from './tile.ts';

/** A file, or undefined where it is missing or cannot be read. */
export type Files = (level: number | 'entries', index: number, width: number) => Promise<Buffer | undefined>;

/** Reads tiles and bundles of a source; what cannot be read counts as missing. */
export function fileReader(source: LogSource): Files {
  return async (level, index, width) => {
    const most = level === 'entries' ? MOST_BUNDLE_BYTES : TILE_WIDTH * HASH_BYTES;
    for (const each of new Set([width, TILE_WIDTH]))
      try {
        const bytes = await source.read(tilePath({ level, index, width: each }), most);
        if (bytes !== undefined) return Buffer.from(bytes);
      } catch (thrown) {
        if (!(thrown instanceof GlacisError) || thrown.code !== 'ledger/unreadable') throw thrown;
      }
    return undefined;
  };
}

/** The hash at a place of a run of hashes. */
export function hashAt(hashes: Uint8Array, index: number): Uint8Array {
  return hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
}
