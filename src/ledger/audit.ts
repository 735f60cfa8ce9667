import { GlacisError } from '../core/error.ts';
import type { LogReader } from './log-reader.ts';
import type { LogSource } from './log-source.ts';
import { HASH_BYTES, sameHash } from './merkle.ts';
import { TILE_WIDTH, tilePath, widthOf } from './tile.ts';
import { EMPTY_EDGE, grow, rootOfEdge } from './tree-edge.ts';

/**
 * Computes the whole tree again from all entries and compares every tile and the signed root with it, so that any proof that
 * this log will ever give is known to be right. Gives the number of tiles compared.
 * Cost: reads the whole log once. Memory: a bundle. Errors: `ledger/unreadable`, `ledger/untrusted`, `run/cancelled`.
 */
export async function auditLog(
  log: LogReader,
  source: LogSource,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<{ readonly entries: number; readonly tiles: number }> {
  const { size, root, origin } = log.checkpoint;
  let edge = EMPTY_EDGE;
  let tiles = 0;
  let waiting: Uint8Array[] = [];
  const flush = async () => {
    const grown = grow(edge, waiting);
    edge = grown.edge;
    waiting = [];
    for (const { path, bytes } of grown.files) {
      // Entries were verified when they were read; partial tiles count only at the end.
      if (path.startsWith('tile/entries/') || (path.includes('.p/') && !isLast(path, size))) continue;
      const full = path.replace(/\.p\/\d+$/, '');
      const stored =
        (await source.read(path, TILE_WIDTH * HASH_BYTES)) ??
        (await source.read(full, TILE_WIDTH * HASH_BYTES));
      if (stored === undefined || !sameHash(stored.subarray(0, bytes.length), bytes))
        throw new GlacisError(
          'ledger/untrusted',
          `log ${origin}: expected ${path} to hold the hashes of the entries; it does not`,
        );
      tiles++;
    }
  };
  for await (const entry of log.entries(0, signal)) {
    waiting.push(entry);
    if (waiting.length === TILE_WIDTH) await flush();
  }
  await flush();
  if (edge.size !== size || !sameHash(await rootOfEdge(edge), root))
    throw new GlacisError(
      'ledger/untrusted',
      `log ${origin}: expected the entries to lead to the root that was signed`,
    );
  return { entries: size, tiles };
}

/** Whether `path` is that of a partial tile of the tree with `size` leaves. */
function isLast(path: string, size: number): boolean {
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
    const index = Math.floor(count / TILE_WIDTH);
    const width = widthOf(level, index, size);
    if (width > 0 && tilePath({ level, index, width }) === path) return true;
  }
  return false;
}
