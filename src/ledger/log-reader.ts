import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import { type Checkpoint, type LogTrust, openCheckpoint } from './checkpoint.ts';
import { MOST_BUNDLE_BYTES, readBundle } from './entry-bundle.ts';
import type { LogSource } from './log-source.ts';
import {
  consistencyProof,
  inclusionProof,
  isConsistent,
  leafHash,
  rootFromInclusion,
  type SubtreeReader,
  sameHash,
} from './merkle.ts';
import { MOST_NOTE_BYTES } from './note.ts';
import { formatProof } from './proof-file.ts';
import { rootWithin, TILE_WIDTH, widthOf } from './tile.ts';
import { readVersion, tileReader } from './tile-reader.ts';

/** Where the signed checkpoint of a log lies. */
export const CHECKPOINT_PATH = 'checkpoint';

/** A log as a signed checkpoint has it. Whatever it gives was verified against the checkpoint's root. */
export interface LogReader {
  readonly checkpoint: Checkpoint;
  /** One entry. Errors: `ledger/unreadable`, `ledger/untrusted`, `option/invalid` past the end. */
  entry(index: number): Promise<Uint8Array>;
  /** Entries from `start` (default 0) to the end, in order, a bundle of 256 in memory at a time. */
  entries(start?: number, signal?: AbortSignal): AsyncGenerator<Uint8Array>;
  /**
   * A tlog-proof file that shows without the log that entry `index` is in it. `extra` gives what else the file is to hold, from the entry's
   * leaf hash; nothing vouches for that.
   */
  prove(index: number, extra?: (leaf: Uint8Array) => Uint8Array): Promise<string>;
  /**
   * Checks that this log begins with what `earlier` describes. Errors: `ledger/forked` when it does not or is shorter.
   * Cost: one proof, whatever the sizes.
   */
  extend(earlier: Pick<Checkpoint, 'size' | 'root'>): Promise<void>;
  /** The proof of that for others: that this log begins with its own first `size` entries. */
  proveSince(size: number): Promise<readonly Uint8Array[]>;
}

/**
 * Opens the log at `source`: reads its checkpoint and verifies the signatures.
 * Errors: `ledger/unreadable` (also when there is no log), `ledger/untrusted`.
 */
export async function openLog(source: LogSource, trust: LogTrust): Promise<LogReader> {
  const bytes = await source.read(CHECKPOINT_PATH, MOST_NOTE_BYTES);
  if (bytes === undefined)
    throw new GlacisError(
      'ledger/unreadable',
      `log ${trust.origin}: expected a checkpoint, but there is none`,
    );
  return readLog(source, openCheckpoint(bytes, trust, `checkpoint of ${trust.origin}`));
}

/** The log at `source` as a checkpoint that was verified before has it. */
export function readLog(source: LogSource, checkpoint: Checkpoint): LogReader {
  const { size, root, origin } = checkpoint;
  const tiles = tileReader(source, size);
  const bundle = (index: number) => readVerifiedBundle(source, tiles, index, checkpoint);
  const within = (index: number) => {
    if (!Number.isSafeInteger(index) || index < 0 || index >= size)
      throw new GlacisError('option/invalid', `log ${origin}: expected an index below ${size}, got ${index}`);
  };
  return {
    checkpoint,
    async entry(index) {
      within(index);
      return (await bundle(Math.floor(index / TILE_WIDTH)))[index % TILE_WIDTH]!;
    },
    async *entries(start = 0, signal) {
      if (start < size) within(start);
      for (let n = Math.floor(start / TILE_WIDTH); n * TILE_WIDTH < size; n++) {
        throwIfCancelled(signal, 'reading the log');
        const all = await bundle(n);
        yield* all.slice(Math.max(0, start - n * TILE_WIDTH));
      }
    },
    async prove(index, extra) {
      within(index);
      const leaf = await tiles(0, index);
      const proof = await inclusionProof(index, size, tiles);
      const reached = rootFromInclusion(index, size, leaf, proof);
      if (reached === undefined || !sameHash(reached, root)) throw wrongRoot(origin, index);
      return formatProof({ index, proof, checkpoint: checkpoint.note, ...(extra && { extra: extra(leaf) }) });
    },
    async proveSince(earlier) {
      if (earlier > size) within(earlier);
      return consistencyProof(earlier, size, tiles);
    },
    async extend(earlier) {
      const forked = (what: string) =>
        new GlacisError(
          'ledger/forked',
          `log ${origin}: expected the log of ${earlier.size} entries that was seen before, and more; ${what}`,
        );
      if (earlier.size > size) throw forked(`got only ${size} entries: somebody shows an old state`);
      const proof = await consistencyProof(earlier.size, size, tiles);
      if (!isConsistent(earlier.size, size, earlier.root, root, proof))
        throw forked('its history is another one, or its tiles are damaged');
    },
  };
}

/**
 * Sound because the proof of a bundle's first entry goes through every other entry of the bundle: with leaf hashes taken
 * from the entries themselves, the root is reached only when all of them are right.
 */
async function readVerifiedBundle(
  source: LogSource,
  tiles: SubtreeReader,
  index: number,
  { origin, size, root }: Checkpoint,
): Promise<readonly Uint8Array[]> {
  const width = widthOf('entries', index, size);
  const found = await readVersion(source, { level: 'entries', index, width }, MOST_BUNDLE_BYTES);
  const entries = readBundle(found.bytes, found.width, found.path).slice(0, width);
  const leaves = entries.map(leafHash);
  const start = index * TILE_WIDTH;
  const tile = Buffer.concat(leaves);
  const read: SubtreeReader = (height, at) => {
    const first = at * 2 ** height - start;
    return first >= 0 && first + 2 ** height <= width ? rootWithin(tile, first, height) : tiles(height, at);
  };
  const proof = await inclusionProof(start, size, read);
  const reached = rootFromInclusion(start, size, leaves[0]!, proof);
  if (reached === undefined || !sameHash(reached, root)) throw wrongRoot(origin, start);
  return entries;
}

function wrongRoot(origin: string, index: number): GlacisError {
  return new GlacisError(
    'ledger/untrusted',
    `log ${origin}: expected entries around ${index} to lead to the root that was signed; they were changed`,
  );
}
