import { GlacisError } from '../core/error.ts';
import type { Checkpoint } from './checkpoint.ts';
import { framed, MOST_BUNDLE_BYTES, readBundle } from './entry-bundle.ts';
import { readEdgeRecord } from './journal-edge.ts';
import { entriesOf, type JournalRecord, journalKey, readSegment } from './journal-record.ts';
import { JOURNAL_PATHS, MOST_SEGMENT_BYTES } from './journal-store.ts';
import type { LogSource } from './log-source.ts';
import type { LogFile } from './log-store.ts';
import { sameHash } from './merkle.ts';
import type { NoteKey } from './note-key.ts';
import { TILE_WIDTH, widthOf } from './tile.ts';
import { readVersion } from './tile-reader.ts';
import { extend, partialTiles, rootOfEdge, type TreeEdge } from './tree-edge.ts';

/** What a journal holds that a writer left behind. */
export interface Journal {
  /** The tree that was surely on the disk. */
  readonly base: TreeEdge;
  readonly batches: readonly JournalRecord[];
  /** Entries that were acknowledged, in tiles or not. */
  readonly size: number;
  /** The id of the last record. */
  readonly last: Uint8Array;
  /** Bytes of a record that was being written when the writer ended. */
  readonly torn: number;
}

/**
 * Reads the journal of a log; undefined when its last writer closed it.
 * Errors: `ledger/unreadable`; `ledger/untrusted` when it was changed.
 */
export async function readJournal(
  source: LogSource,
  { origin, keys }: { readonly origin: string; readonly keys: readonly NoteKey[] },
): Promise<Journal | undefined> {
  const found = [];
  for (const path of JOURNAL_PATHS) {
    const bytes = await source.read(path, MOST_SEGMENT_BYTES);
    if (bytes === undefined) continue;
    const where = `${path} of ${origin}`;
    const segment = readSegment(bytes, journalKey(keys), where);
    // A segment whose first record is torn is one that was being started: nothing was acknowledged from it.
    const [head, ...batches] = segment.records;
    found.push({ where, head, batches, torn: segment.torn, last: segment.records.at(-1) });
  }
  const begun = found.filter(({ head }) => head !== undefined).sort((a, b) => a.head!.start - b.head!.start);
  const [first, second] = begun;
  const torn = found.reduce((sum, segment) => sum + segment.torn, 0);
  if (first === undefined) return undefined;
  const pair =
    second && sameHash(first.head!.previous, second.last!.id)
      ? ([second, first] as const)
      : ([first, second] as const);
  const [older, newer] = pair;
  const base = readEdgeRecord(older.head!.payload, older.head!.start, origin, older.where);
  if (newer) {
    // The newer one is started when the older one is on the disk as a whole.
    if (
      older.torn > 0 ||
      !sameHash(newer.head!.previous, older.last!.id) ||
      newer.head!.start !== endOf(older.last!)
    )
      throw new GlacisError(
        'ledger/untrusted',
        `${newer.where}: expected to go on where ${older.where} ends, after entry ${endOf(older.last!) - 1}; one of them was changed`,
      );
    readEdgeRecord(newer.head!.payload, newer.head!.start, origin, newer.where);
  }
  const last = (newer ?? older).last!;
  return {
    base,
    batches: [...older.batches, ...(newer?.batches ?? [])],
    size: endOf(last),
    last: last.id,
    torn,
  };
}

/** Entries of a step of the replay: their tiles are in memory together. */
const STEP = 64 * TILE_WIDTH;

/**
 * Builds the tree that a journal and a checkpoint lead to: everything that was acknowledged. `write` gets the tiles of it that may not be on the
 * disk. Memory: the journal, and 16,384 entries.
 * Errors: `ledger/untrusted` when journal and checkpoint do not fit together, `ledger/unreadable`.
 */
export async function replay(
  source: LogSource,
  journal: Journal,
  checkpoint: Checkpoint,
  write: (files: readonly LogFile[]) => Promise<void>,
): Promise<TreeEdge> {
  const { origin, size } = checkpoint;
  const { base } = journal;
  if (size < base.size)
    throw new GlacisError(
      'ledger/untrusted',
      `log ${origin}: expected a checkpoint of at least ${base.size} entries, which its journal goes on from; got one of ${size}: an old checkpoint was put back`,
    );
  let edge = base;
  let waiting: Uint8Array[] = [];
  const flush = async () => {
    const grown = extend(edge, waiting);
    waiting = [];
    edge = grown.edge;
    await write(grown.full);
    if (edge.size === size && !sameHash(await rootOfEdge(edge), checkpoint.root))
      throw new GlacisError(
        'ledger/untrusted',
        `log ${origin}: expected the journal to lead to the root that was signed for ${size} entries; entries ${base.size} to ${size - 1} differ`,
      );
  };
  if (base.size === size) await flush();
  const add = async (entry: Uint8Array) => {
    waiting.push(framed(entry));
    const reached = edge.size + waiting.length;
    if (reached === size || waiting.length === STEP) await flush();
  };
  for (const batch of journal.batches) for (const entry of entriesOf(batch)) await add(entry);
  // A journal that ends before the checkpoint: what is missing must be in the tiles, or nothing will lead to the root.
  for (let at = journal.size; at < size; ) {
    const index = Math.floor(at / TILE_WIDTH);
    const width = widthOf('entries', index, size);
    const found = await readVersion(source, { level: 'entries', index, width }, MOST_BUNDLE_BYTES);
    const entries = readBundle(found.bytes, found.width, found.path).slice(at - index * TILE_WIDTH, width);
    for (const entry of entries) await add(entry);
    at += entries.length;
  }
  await flush();
  await write(partialTiles(edge, base.size));
  return edge;
}

function endOf(record: JournalRecord): number {
  return record.start + record.count;
}
