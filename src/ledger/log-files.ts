import { GlacisError } from '../core/error.ts';
import { MOST_BUNDLE_BYTES } from './entry-bundle.ts';
import type { LogSource } from './log-source.ts';
import { HASH_BYTES } from './merkle.ts';
import { TILE_WIDTH, tilePath } from './tile.ts';

/**
 * The hashes or entries of a tile or bundle, as many as `width` says where a full one has taken the place of a partial one; undefined where there is no file
 * of the right kind and size.
 */
export type Files = (level: number | 'entries', index: number, width: number) => Promise<Buffer | undefined>;

/** Reads tiles and bundles of a source; what cannot be read counts as missing. */
export function fileReader(source: LogSource): Files {
  return async (level, index, width) => {
    const most = level === 'entries' ? MOST_BUNDLE_BYTES : TILE_WIDTH * HASH_BYTES;
    for (const each of new Set([width, TILE_WIDTH]))
      try {
        const bytes = await source.read(tilePath({ level, index, width: each }), most);
        if (bytes === undefined) continue;
        if (level !== 'entries')
          return bytes.length === each * HASH_BYTES
            ? Buffer.from(bytes.subarray(0, width * HASH_BYTES))
            : undefined;
        return Buffer.from(each === width ? bytes : firstEntries(bytes, width));
      } catch (thrown) {
        if (!(thrown instanceof GlacisError) || thrown.code !== 'ledger/unreadable') throw thrown;
      }
    return undefined;
  };
}

/** The first entries of a bundle. `bytes` are attacker-controlled; what cannot be cut stays as it is. */
function firstEntries(bytes: Uint8Array, count: number): Uint8Array {
  let at = 0;
  for (let n = 0; n < count && at + 2 <= bytes.length; n++) at += 2 + bytes[at]! * 256 + bytes[at + 1]!;
  return bytes.subarray(0, at);
}

/** The hash at a place of a run of hashes. */
export function hashAt(hashes: Uint8Array, index: number): Uint8Array {
  return hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
}
