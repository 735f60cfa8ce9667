import { GlacisError } from '../core/error.ts';
import { TILE_WIDTH } from './tile.ts';

/** Most bytes of an entry: its length is written in 16 bits. */
export const MOST_ENTRY_BYTES = 65_535;

/** Most bytes of a bundle: 256 entries with their lengths. */
export const MOST_BUNDLE_BYTES = TILE_WIDTH * (MOST_ENTRY_BYTES + 2);

/** An entry as a bundle holds it: its length as 16 bits, big-endian, then its bytes. Errors: `option/invalid`. */
export function framed(entry: Uint8Array): Uint8Array {
  if (entry.length > MOST_ENTRY_BYTES)
    throw new GlacisError(
      'option/invalid',
      `log entry: expected at most ${MOST_ENTRY_BYTES} bytes, got ${entry.length}; log a digest of what is larger`,
    );
  const frame = Buffer.allocUnsafe(2 + entry.length);
  frame.writeUInt16BE(entry.length);
  frame.set(entry, 2);
  return frame;
}

/**
 * The entries of a bundle that must hold exactly `width` of them (C2SP tlog-tiles, "Log entries"), as views of `bytes`.
 *
 * @param bytes attacker-controlled
 * @throws GlacisError `ledger/unreadable`
 */
export function readBundle(bytes: Uint8Array, width: number, where: string): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && entries.length < width) {
    const end = at + 2 <= bytes.length ? at + 2 + view.getUint16(at) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) break;
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  if (entries.length !== width || at !== bytes.length)
    throw new GlacisError(
      'ledger/unreadable',
      `${where}: expected ${width} entries and nothing else, got ${entries.length} in the first ${at} of ${bytes.length} bytes`,
    );
  return entries;
}
