import { asGlacisError, GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import {
  type Checkpoint,
  createLog,
  folderSource,
  folderStore,
  type LogStore,
  type LogWriter,
  noteSigner,
  openCheckpoint,
  openWriter,
  readLog,
} from '../../ledger/index.ts';
import { openWrappingKey } from '../../supply/vault/wrapping-key.ts';
import { entryBytes, payloadBytes } from './entry-text.ts';
import { freeBytes } from './free-space.ts';
import { logFolder, readIfThere } from './log-folder.ts';
import { openPayloads, type PayloadPlace, type RemovedPayloads } from './payload-store.ts';
import { receiptExtra } from './receipt.ts';
import { readFrame } from './record-frame.ts';
import type { RecordWorkerData } from './record-messages.ts';
import { sealBytes } from './sealed-bytes.ts';
import { type SubjectKey, subjectKeys } from './subject-keys.ts';

/** What turns records into entries and writes them; it lives in a thread of its own. */
export interface RecordWriter {
  readonly writer: LogWriter;
  /** Writes the records of a frame and gives the index of the first. Errors: `output/unwritable`. */
  record(frame: Uint8Array): Promise<number>;
  receipt(index: number): Promise<string>;
  /** Destroys the key of a subject; gives its pseudonym, or undefined where it has none. */
  erase(subject: string): Promise<string | undefined>;
  /** Free bytes, and whether that is too little to serve. */
  space(): { readonly free: number; readonly low: boolean };
  sweep(): Promise<readonly RemovedPayloads[]>;
  close(): Promise<void>;
}

/** How often the checkpoint is remembered outside of the log, in milliseconds. */
const REMEMBER_EVERY = 30_000;
/** How long a look at the free space counts, in milliseconds. */
const SPACE_EVERY = 200;

/**
 * Opens the log in a folder, or starts it when there never was one. Errors: `ledger/untrusted` when the log that was here is gone,
 * `ledger/forked` when it is not the one that was seen last; those of `openWriter`; `vault/key`.
 */
export async function openRecordWriter(
  data: RecordWorkerData,
  surroundings: {
    readonly now: () => number;
    /** The log's store; tests break it. */
    readonly store?: LogStore;
    readonly free?: (folder: string) => number;
  },
): Promise<RecordWriter> {
  const { now, free = freeBytes } = surroundings;
  const places = logFolder(data.folder);
  const store = surroundings.store ?? folderStore(places.log, { mayBlock: true });
  const signers = data.signers.map((s) => noteSigner(data.origin, s.algorithm, s.privateKey));
  const trust = { origin: data.origin, keys: signers };
  const identity = { origin: data.origin, signers, now: () => new Date(now()) };
  const wrapping = await openWrappingKey(data.wrappingKey, process.env);
  const keys = subjectKeys(places.subjects, wrapping);
  const options = { publishEvery: data.publishEvery };
  const seen = await readIfThere(places.seenFile);
  const before = await store.read('checkpoint', 1 << 18);
  if (before === undefined && seen !== undefined)
    throw new GlacisError(
      'ledger/untrusted',
      `${places.log}: expected the log that was here before (${places.seenFile}); it is gone`,
    );
  const writer = await (before === undefined ? createLog : openWriter)(store, identity, options);
  const source = folderSource(places.log);
  let remembered = 0;
  const remember = async () => {
    remembered = now();
    await writeAtomically(places.seenFile, (write) => write(writer.checkpoint.note));
  };
  try {
    if (seen !== undefined)
      await readLog(source, writer.checkpoint).extend(openCheckpoint(seen, trust, places.seenFile));
    await remember();
  } catch (thrown) {
    await writer.close();
    throw asGlacisError(thrown, 'output/unwritable', places.seenFile);
  }
  const payloads = await openPayloads(places.payloads, {
    retention: data.retention,
    most: data.mostPayloads,
    now,
  });
  let looked = Number.NEGATIVE_INFINITY;
  let left = 0;
  const space = () => {
    const at = performance.now();
    if (at - looked > SPACE_EVERY) {
      left = free(data.folder);
      looked = at;
    }
    return { free: left, low: left < data.freeSpace };
  };
  /** Frames are prepared one after the other, and share flushes. */
  let turn: Promise<unknown> = Promise.resolve();
  const prepare = async (frame: Uint8Array): Promise<readonly Uint8Array[]> => {
    if (space().free < data.freeSpace / 2)
      throw new GlacisError(
        'output/unwritable',
        `${data.folder}: expected ${data.freeSpace / 2} bytes of free disk, got ${left}`,
      );
    const records = readFrame(frame);
    const used: (SubjectKey | undefined)[] = [];
    const sealed: Buffer[] = [];
    for (const { kind, subject, id, input, output = [] } of records) {
      const key = kind === 'event' ? undefined : (keys.ready(subject) ?? (await keys.keyOf(subject)));
      used.push(key);
      if (key === undefined || data.keep === 'none' || input === undefined) continue;
      const plain = payloadBytes(input, data.keep === 'both' ? output : []);
      sealed.push(sealBytes(key.payloads, id, 'payload', plain));
    }
    // Payloads first: an entry that is there names a payload that is there.
    const kept: PayloadPlace[] = sealed.length > 0 ? [...(await payloads.append(sealed))] : [];
    return records.map((record, i) => {
      const payload = used[i] && data.keep !== 'none' && record.input ? kept.shift() : undefined;
      return entryBytes(record, used[i], { sealWho: data.sealWho, payload });
    });
  };
  let proofs: { readonly of: Checkpoint; readonly log: ReturnType<typeof readLog> } | undefined;
  return {
    writer,
    space,
    record(frame) {
      const prepared = turn.then(() => prepare(frame));
      turn = prepared.catch(() => {});
      return prepared.then(async (entries) => {
        const index = await writer.appendAll(entries);
        // What cannot be remembered now is remembered later; the entry is on the disk.
        if (now() - remembered > REMEMBER_EVERY) void remember().catch(() => {});
        return index;
      });
    },
    async receipt(index) {
      if (writer.checkpoint.size <= index) await writer.refresh();
      const { checkpoint } = writer;
      if (proofs?.of !== checkpoint) proofs = { of: checkpoint, log: readLog(source, checkpoint) };
      return proofs.log.prove(index, (leaf) => receiptExtra(leaf));
    },
    erase: (subject) => keys.erase(subject),
    sweep: () => payloads.sweep(),
    async close() {
      await turn;
      await writer.close();
      await payloads.close();
      await remember().catch(() => {});
    },
  };
}
