import { GlacisError } from '../core/error.ts';
import { framed, readBundle } from './entry-bundle.ts';
import { HASH_BYTES, leafHash, sameHash } from './merkle.ts';
import { hashesAt, TILE_LEVELS, TILE_WIDTH } from './tile.ts';
import type { TreeEdge } from './tree-edge.ts';

/**
 * The state that a segment of the journal begins with, in bytes: the log's name, and the tree's right edge with the entries of the last
 * bundle. So a segment alone leads from what is surely on the disk to every entry that was acknowledged.
 */
export function formatEdge(origin: string, { levels, bundle }: TreeEdge): readonly Uint8Array[] {
  const name = Buffer.from(origin);
  return [framed(name), ...Array.from({ length: TILE_LEVELS }, (_, l) => levels[l] ?? []).flat(), ...bundle];
}

/**
 * Reads what {@link formatEdge} wrote for a tree of `size` leaves.
 *
 * @param bytes signed by the log
 * @throws GlacisError `ledger/unreadable`; `ledger/untrusted` for another log
 */
export function readEdgeRecord(bytes: Uint8Array, size: number, origin: string, where: string): TreeEdge {
  const unreadable = () =>
    new GlacisError(
      'ledger/unreadable',
      `${where}: expected the edge of a tree of ${size} entries at the beginning`,
    );
  if (bytes.length < 2) throw unreadable();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2 + view.getUint16(0);
  if (at > bytes.length) throw unreadable();
  const name = Buffer.from(bytes.subarray(2, at)).toString('utf8');
  if (name !== origin)
    throw new GlacisError(
      'ledger/untrusted',
      `${where}: expected the journal of '${origin}', got that of '${name}'`,
    );
  const levels: Uint8Array[][] = [];
  for (let level = 0; level < TILE_LEVELS; level++) {
    const width = hashesAt(level, size) % TILE_WIDTH;
    if (at + width * HASH_BYTES > bytes.length) throw unreadable();
    levels.push(
      Array.from({ length: width }, (_, i) => bytes.slice(at + i * HASH_BYTES, at + (i + 1) * HASH_BYTES)),
    );
    at += width * HASH_BYTES;
  }
  const bundle = readBundle(bytes.subarray(at), size % TILE_WIDTH, where);
  if (!bundle.every((entry, i) => sameHash(leafHash(entry), levels[0]![i]!))) throw unreadable();
  return { size, levels, bundle: bundle.map(framed) };
}
