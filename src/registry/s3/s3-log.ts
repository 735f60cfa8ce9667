import { GlacisError } from '../../core/error.ts';
import { type Checkpoint, openCheckpoint } from '../../ledger/checkpoint.ts';
import { formatCheckpoint } from '../../ledger/checkpoint-body.ts';
import { MOST_ENTRY_BYTES } from '../../ledger/entry-bundle.ts';
import { CHECKPOINT_PATH } from '../../ledger/log-reader.ts';
import { type LogSource, tooLarge } from '../../ledger/log-source.ts';
import { MOST_NOTE_BYTES, signNote } from '../../ledger/note.ts';
import { EMPTY_EDGE, grow, readEdge, rootOfEdge, type TreeEdge } from '../../ledger/tree-edge.ts';
import type { EventLog, LogKeeper } from '../event-log.ts';
import type { RecordStore } from '../place.ts';
import { type Bucket, bodyOf } from './bucket.ts';

/**
 * A log in a bucket, without a lock. Which entry follows `n` others is decided by who first creates the object `claims/n`. Whoever finds a
 * claim that is not in the log yet completes it: tiles follow from the entries, so two who do the same write the same bytes. The checkpoint is
 * replaced only if it still is the one that was read. So a writer that dies stops nobody, and two at once do not lose each other's entries.
 * Needs conditional writes (`If-None-Match`, `If-Match`), which Amazon S3, MinIO, Ceph and R2 have; {@link EventLog.create} checks it.
 */
export function s3EventLog(bucket: Bucket): EventLog {
  const source = s3Source(bucket);
  const newest = async (keeper: LogKeeper, signal?: AbortSignal) => {
    const found = await bucket.get(CHECKPOINT_PATH, signal);
    const bytes = found && (await collect(found.bytes, MOST_NOTE_BYTES, CHECKPOINT_PATH));
    if (found === undefined || bytes === undefined)
      throw new GlacisError('ledger/unreadable', `${bucket.where}: expected a checkpoint, but there is none`);
    return {
      tag: found.tag,
      checkpoint: openCheckpoint(bytes, { origin: keeper.origin, keys: keeper.signers }),
    };
  };
  const put = async (path: string, bytes: Uint8Array, signal?: AbortSignal) => {
    await bucket.put(path, bodyOf(bytes), { signal });
  };
  /** Writes the tiles of one more entry; the checkpoint is the caller's. */
  const add = async (edge: TreeEdge, entry: Uint8Array, keeper: LogKeeper, signal?: AbortSignal) => {
    const grown = grow(edge, [entry]);
    for (const { path, bytes } of grown.files) await put(path, bytes, signal);
    return signEdge(grown.edge, keeper);
  };
  return {
    source,
    async create(entry, keeper, signal) {
      const exists = () =>
        new GlacisError('ledger/exists', `${bucket.where}: expected a place without a log, got one`);
      if (await bucket.head(CHECKPOINT_PATH, signal)) throw exists();
      if (!(await bucket.put('claims/0', bodyOf(entry), { if: 'absent', signal }))) throw exists();
      if (await bucket.put('claims/0', bodyOf(entry), { if: 'absent', signal }))
        throw new GlacisError(
          'registry/storage',
          `${bucket.where}: expected a server with conditional writes; this one overwrites what is there, so that two writers would lose entries`,
        );
      const checkpoint = await add(EMPTY_EDGE, entry, keeper, signal);
      if (!(await bucket.put(CHECKPOINT_PATH, bodyOf(checkpoint.note), { if: 'absent', signal })))
        throw exists();
      return checkpoint;
    },
    async tryAppend(size, entry, keeper, signal) {
      const { tag, checkpoint } = await newest(keeper, signal);
      if (checkpoint.size !== size) return undefined;
      const path = `claims/${size}`;
      const ours = await bucket.put(path, bodyOf(entry), { if: 'absent', signal });
      const claimed = ours ? entry : await source.read(path, MOST_ENTRY_BYTES);
      if (claimed === undefined)
        throw new GlacisError(
          'ledger/unreadable',
          `${bucket.where}/${path}: expected the entry that was claimed; it is gone`,
        );
      const next = await add(await readEdge(source, checkpoint), claimed, keeper, signal);
      await bucket.put(CHECKPOINT_PATH, bodyOf(next.note), { if: { tag }, signal });
      return ours ? next : undefined;
    },
    async refresh(keeper, signal) {
      const { tag, checkpoint } = await newest(keeper, signal);
      const next = await signEdge(await readEdge(source, checkpoint), keeper);
      const done = await bucket.put(CHECKPOINT_PATH, bodyOf(next.note), { if: { tag }, signal });
      // Somebody else signed a newer state meanwhile, which is as fresh.
      return done ? next : (await newest(keeper, signal)).checkpoint;
    },
  };
}

/** Small files in a bucket below a prefix. */
export function s3Records(bucket: Bucket): RecordStore {
  return {
    ...s3Source(bucket),
    async write(files) {
      for (const { path, bytes } of files) await bucket.put(path, bodyOf(bytes));
    },
  };
}

function s3Source(bucket: Bucket): LogSource {
  return {
    async read(path, most) {
      const found = await bucket.get(path);
      return found && collect(found.bytes, most, `${bucket.where}/${path}`);
    },
  };
}

async function signEdge(edge: TreeEdge, { origin, signers, now }: LogKeeper): Promise<Checkpoint> {
  const body = { origin, size: edge.size, root: await rootOfEdge(edge) };
  const note = signNote(formatCheckpoint(body), signers, Math.floor(now().getTime() / 1000));
  return openCheckpoint(note, { origin, keys: signers });
}

async function collect(bytes: AsyncIterable<Uint8Array>, most: number, where: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > most) throw tooLarge(where, most);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
