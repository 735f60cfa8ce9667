import { setTimeout as sleep } from 'node:timers/promises';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { mergeOptions } from '../core/options.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { type Commits, directCommits, publish } from './direct-commits.ts';
import { framed } from './entry-bundle.ts';
import { readJournal, replay } from './journal-recovery.ts';
import { JOURNAL_PATHS } from './journal-store.ts';
import { journaledCommits } from './journaled-commits.ts';
import { CHECKPOINT_PATH } from './log-reader.ts';
import type { LogIdentity, LogState, Recovered } from './log-state.ts';
import type { LogStore } from './log-store.ts';
import { MOST_NOTE_BYTES } from './note.ts';
import { EMPTY_EDGE, readEdge } from './tree-edge.ts';

/** How a log is written. */
export interface WriterOptions {
  /**
   * Milliseconds between two signed checkpoints. With it, `append` gives its index as soon as the entry is in the journal, which is one flush; tiles
   * and checkpoint follow within this time and when the log is closed. Default 0: no journal; each batch is in tiles and under a
   * signed checkpoint when it is acknowledged, which suits a few entries.
   */
  readonly publishEvery?: number;
  /** Bytes after which the journal's other segment is begun, while tiles take over what is in the first. Default 16 MiB. */
  readonly segment?: number;
  /** Milliseconds that a batch waits for company after its first entry. Default 0: whatever came during the last write. */
  readonly linger?: number;
  /** Entries of a batch at most. Default 4,096. A batch also ends when it has 4 MiB. */
  readonly batch?: number;
  /** Bytes of entries that may wait; `append` makes its caller wait beyond them. Default 32 MiB. */
  readonly waiting?: number;
  /** Milliseconds to wait for another writer. Default 10,000. */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULTS = {
  publishEvery: 0,
  segment: 16 << 20,
  linger: 0,
  batch: 4096,
  waiting: 32 << 20,
  patience: 10_000,
  signal: undefined as AbortSignal | undefined,
};

/** The one writer of a log. It holds the log's lock until it is closed. */
export interface LogWriter extends AsyncDisposable {
  /** The newest checkpoint that is on the disk. */
  readonly checkpoint: Checkpoint;
  /** What a writer before left unfinished, which opening the log made good. */
  readonly recovered: Recovered | undefined;
  /** Why nothing can be appended any more; undefined while all is well. */
  readonly broken: GlacisError | undefined;
  /**
   * Adds an entry and gives its index when it is on the disk (with a journal: in the journal; otherwise: under a signed checkpoint); entries
   * appended meanwhile share the next flush. Errors: `option/invalid` (more than 65,535 bytes), `output/unwritable` (then nothing
   * more can be appended until the log is opened again, because nobody knows what the disk holds).
   */
  append(entry: Uint8Array): Promise<number>;
  /** Adds entries that follow each other, under one flush, and gives the index of the first. */
  appendAll(entries: readonly Uint8Array[]): Promise<number>;
  /**
   * Signs the newest state again, with the time as it is now, and everything that was acknowledged in it: this is how a log stays fresh
   * without new entries, and how a proof for a new one is to be had at once.
   */
  refresh(): Promise<Checkpoint>;
  /** Waits for what was appended, and frees the lock. */
  close(): Promise<void>;
}

/** Starts a log at `store`. Errors: `ledger/exists` when there is one, and those of {@link openWriter}. */
export async function createLog(
  store: LogStore,
  identity: LogIdentity,
  options: WriterOptions = {},
): Promise<LogWriter> {
  return open(store, identity, options, 'create');
}

/**
 * Opens the log at `store` for writing, alone, and checks that its newest tiles lead to the checkpoint that its own keys signed.
 * What a killed writer left half done is not part of it and is written over.
 * Errors: `ledger/locked`, `ledger/unreadable`, `ledger/untrusted`, `output/unwritable`, `option/invalid`, `run/cancelled`.
 */
export async function openWriter(
  store: LogStore,
  identity: LogIdentity,
  options: WriterOptions = {},
): Promise<LogWriter> {
  return open(store, identity, options, 'append');
}

async function open(
  store: LogStore,
  identity: LogIdentity,
  given: WriterOptions,
  how: 'create' | 'append',
): Promise<LogWriter> {
  const options = mergeOptions('log writer', DEFAULTS, given as Record<string, unknown>);
  const { publishEvery, segment, patience, signal } = options;
  if (publishEvery > 0 && store.journal === undefined)
    throw new GlacisError(
      'option/invalid',
      `log ${identity.origin}: expected a store that keeps a journal, which publishEvery needs; got one without`,
    );
  const unlock = await store.lock({ patience, signal });
  try {
    const found = await store.read(CHECKPOINT_PATH, MOST_NOTE_BYTES);
    const state = await (how === 'create' ? begin(store, identity, found) : resume(store, identity, found));
    const commits =
      publishEvery > 0
        ? await journaledCommits(store, identity, state, { publishEvery, segment })
        : directCommits(store, identity, state);
    return writer(identity, options, state, commits, unlock);
  } catch (thrown) {
    unlock();
    throw thrown;
  }
}

async function begin(
  store: LogStore,
  identity: LogIdentity,
  found: Uint8Array | undefined,
): Promise<LogState> {
  if (found !== undefined)
    throw new GlacisError(
      'ledger/exists',
      `log ${identity.origin}: expected a place without a log, got one with a checkpoint`,
    );
  // Nothing was ever acknowledged without a checkpoint, so a journal here is that of no log.
  await store.journal?.remove(JOURNAL_PATHS);
  return { edge: EMPTY_EDGE, checkpoint: await publish(store, identity, EMPTY_EDGE) };
}

async function resume(
  store: LogStore,
  identity: LogIdentity,
  found: Uint8Array | undefined,
): Promise<LogState> {
  const { origin, signers } = identity;
  if (found === undefined)
    throw new GlacisError('ledger/unreadable', `log ${origin}: expected a checkpoint, but there is none`);
  const checkpoint = openCheckpoint(found, { origin, keys: signers });
  const journal = store.journal && (await readJournal(store, { origin, keys: signers }));
  if (journal === undefined) return { edge: await readEdge(store, checkpoint), checkpoint };
  const edge = await replay(store, journal, checkpoint, (files) => store.write(files));
  const published = await publish(store, identity, edge);
  // Only now: until here a crash leaves everything as it was.
  await store.journal?.remove(JOURNAL_PATHS);
  const recovered = { entries: Math.max(0, edge.size - checkpoint.size), torn: journal.torn };
  return { edge, checkpoint: published, recovered };
}

/** Entries that wait for their batch. */
interface Waiting {
  /** With their lengths in front. */
  readonly frames: readonly Uint8Array[];
  readonly bytes: number;
  readonly done: (index: number) => void;
  readonly failed: (reason: unknown) => void;
}

/** Bytes of a batch at which it is written. */
const BATCH_BYTES = 4 << 20;

function writer(
  { origin }: LogIdentity,
  options: typeof DEFAULTS,
  { recovered }: LogState,
  commits: Commits,
  unlock: () => void,
): LogWriter {
  let queue: Waiting[] = [];
  let bytes = 0;
  let running: Promise<void> | undefined;
  let broken: GlacisError | undefined;
  let closed = false;
  const room: (() => void)[] = [];

  const take = (): readonly Waiting[] => {
    let [count, size, n] = [0, 0, 0];
    while (n < queue.length && (n === 0 || (count < options.batch && size < BATCH_BYTES))) {
      count += queue[n]!.frames.length;
      size += queue[n]!.bytes;
      n++;
    }
    const batch = queue.slice(0, n);
    queue = queue.slice(n);
    return batch;
  };
  const breaks = (thrown: unknown): GlacisError => {
    broken ??= asGlacisError(thrown, 'output/unwritable', `log ${origin}`);
    return broken;
  };
  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      if (options.linger > 0 && !closed) await sleep(options.linger);
      const batch = take();
      try {
        const failed = broken ?? commits.broken;
        if (failed) throw failed;
        let index = await commits.commit(
          batch.length === 1 ? batch[0]!.frames : batch.flatMap((waiting) => waiting.frames),
        );
        for (const { frames, done } of batch) {
          done(index);
          index += frames.length;
        }
      } catch (thrown) {
        const reason = breaks(thrown);
        for (const { failed } of batch) failed(reason);
      }
      bytes -= batch.reduce((sum, waiting) => sum + waiting.bytes, 0);
      for (const wake of room.splice(0)) wake();
    }
    running = undefined;
  };
  const usable = () => {
    const failed = broken ?? commits.broken;
    if (failed) throw failed;
    if (closed)
      throw new GlacisError('option/invalid', `log ${origin}: expected an open writer, got a closed one`);
  };
  const enqueue = async (entries: readonly Uint8Array[]): Promise<number> => {
    usable();
    // Copies, because the caller may use its buffers again before the batch is written.
    const frames = entries.map(framed);
    while (bytes >= options.waiting) {
      await new Promise<void>((wake) => room.push(wake));
      usable();
    }
    const size = frames.reduce((sum, frame) => sum + frame.length, 0);
    bytes += size;
    const index = new Promise<number>((done, failed) => queue.push({ frames, bytes: size, done, failed }));
    running ??= Promise.resolve().then(run);
    return index;
  };
  const close = async () => {
    if (closed) return;
    closed = true;
    await running;
    try {
      await commits.close(broken === undefined);
    } finally {
      unlock();
    }
  };
  return {
    get checkpoint() {
      return commits.checkpoint;
    },
    get broken() {
      return broken ?? commits.broken;
    },
    recovered,
    append: (entry) => enqueue([entry]),
    appendAll: enqueue,
    async refresh() {
      while (running && options.publishEvery === 0) await running;
      usable();
      const work = commits.refresh();
      if (options.publishEvery === 0)
        running = work.then(
          () => run(),
          (thrown) => {
            breaks(thrown);
            return run();
          },
        );
      return work.catch((thrown) => {
        throw breaks(thrown);
      });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
