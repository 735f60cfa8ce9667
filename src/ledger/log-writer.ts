import { setTimeout as sleep } from 'node:timers/promises';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { mergeOptions } from '../core/options.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { formatCheckpoint } from './checkpoint-body.ts';
import { MOST_ENTRY_BYTES } from './entry-bundle.ts';
import { CHECKPOINT_PATH } from './log-reader.ts';
import type { LogStore } from './log-store.ts';
import { MOST_NOTE_BYTES, signNote } from './note.ts';
import type { NoteSigner } from './note-key.ts';
import { partialFolder } from './tile.ts';
import { EMPTY_EDGE, grow, readEdge, rootOfEdge, type TreeEdge } from './tree-edge.ts';

/** How a log is written. */
export interface WriterOptions {
  /** Milliseconds that a batch waits for company after its first entry. Default 0: whatever came during the last write. */
  readonly linger?: number;
  /** Entries of a batch at most. Default 4,096. */
  readonly batch?: number;
  /** Bytes of entries that may wait; `append` makes its caller wait beyond them. Default 32 MiB. */
  readonly waiting?: number;
  /** Milliseconds to wait for another writer. Default 10,000. */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULTS = {
  linger: 0,
  batch: 4096,
  waiting: 32 << 20,
  patience: 10_000,
  signal: undefined as AbortSignal | undefined,
};

/** Who writes a log. */
export interface LogIdentity {
  /** The log's name, e.g. `example.com/models`. */
  readonly origin: string;
  /** The log's keys; each signs every checkpoint, under the origin as its name. */
  readonly signers: readonly NoteSigner[];
  readonly now: () => Date;
}

/** The one writer of a log. It holds the log's lock until it is closed. */
export interface LogWriter extends AsyncDisposable {
  /** The newest checkpoint that is on the disk. */
  readonly checkpoint: Checkpoint;
  /**
   * Adds an entry and gives its index when a signed checkpoint that holds it is on the disk; entries appended meanwhile
   * share the next flush. Errors: `option/invalid` (more than 65,535 bytes), `output/unwritable` (then nothing more can
   * be appended until the log is opened again, because nobody knows what the disk holds).
   */
  append(entry: Uint8Array): Promise<number>;
  /** Signs the newest state again, with the time as it is now: this is how a log stays fresh without new entries. */
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
  const unlock = await store.lock({ patience: options.patience, signal: options.signal });
  try {
    const found = await store.read(CHECKPOINT_PATH, MOST_NOTE_BYTES);
    if (how === 'create') {
      if (found !== undefined)
        throw new GlacisError(
          'ledger/exists',
          `log ${identity.origin}: expected a place without a log, got one with a checkpoint`,
        );
      return writer(store, identity, options, EMPTY_EDGE, await publish(store, identity, EMPTY_EDGE), unlock);
    }
    if (found === undefined)
      throw new GlacisError(
        'ledger/unreadable',
        `log ${identity.origin}: expected a checkpoint, but there is none`,
      );
    const checkpoint = openCheckpoint(found, { origin: identity.origin, keys: identity.signers });
    const edge = await readEdge(store, checkpoint);
    return writer(store, identity, options, edge, checkpoint, unlock);
  } catch (thrown) {
    unlock();
    throw thrown;
  }
}

/** An entry that waits for its batch. */
interface Waiting {
  readonly entry: Uint8Array;
  readonly done: (index: number) => void;
  readonly failed: (reason: unknown) => void;
}

function writer(
  store: LogStore,
  identity: LogIdentity,
  options: typeof DEFAULTS,
  first: TreeEdge,
  firstCheckpoint: Checkpoint,
  unlock: () => void,
): LogWriter {
  let edge = first;
  let checkpoint = firstCheckpoint;
  let queue: Waiting[] = [];
  let bytes = 0;
  let running: Promise<void> | undefined;
  let broken: GlacisError | undefined;
  let closed = false;
  const room: (() => void)[] = [];

  const commit = async (batch: readonly Waiting[]): Promise<void> => {
    const grown = grow(
      edge,
      batch.map(({ entry }) => entry),
    );
    // Tiles before the checkpoint: whoever reads a checkpoint must find what it speaks of.
    await store.write(grown.files);
    checkpoint = await publish(store, identity, grown.edge);
    const start = edge.size;
    edge = grown.edge;
    for (const [i, { done }] of batch.entries()) done(start + i);
    for (const name of grown.full) await store.remove(partialFolder(name));
  };
  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      if (options.linger > 0 && !closed) await sleep(options.linger);
      const batch = queue.slice(0, options.batch);
      queue = queue.slice(options.batch);
      try {
        if (broken) throw broken;
        await commit(batch);
      } catch (thrown) {
        broken ??= asGlacisError(thrown, 'output/unwritable', `log ${identity.origin}`);
        for (const { failed } of batch) failed(broken);
      }
      bytes -= batch.reduce((sum, { entry }) => sum + entry.length, 0);
      for (const wake of room.splice(0)) wake();
    }
    running = undefined;
  };
  const usable = () => {
    if (broken) throw broken;
    if (closed)
      throw new GlacisError(
        'option/invalid',
        `log ${identity.origin}: expected an open writer, got a closed one`,
      );
  };
  const close = async () => {
    if (closed) return;
    closed = true;
    await running;
    unlock();
  };
  return {
    get checkpoint() {
      return checkpoint;
    },
    async append(entry) {
      usable();
      if (entry.length > MOST_ENTRY_BYTES) grow(EMPTY_EDGE, [entry]);
      while (bytes >= options.waiting) {
        await new Promise<void>((wake) => room.push(wake));
        usable();
      }
      bytes += entry.length;
      // A copy, because the caller may use its buffer again before the batch is written.
      const index = new Promise<number>((done, failed) =>
        queue.push({ entry: Uint8Array.from(entry), done, failed }),
      );
      running ??= Promise.resolve().then(run);
      return index;
    },
    async refresh() {
      while (running) await running;
      usable();
      const work = publish(store, identity, edge);
      running = work.then(
        async (made) => {
          checkpoint = made;
          await run();
        },
        (thrown) => {
          broken = asGlacisError(thrown, 'output/unwritable', `log ${identity.origin}`);
          return run();
        },
      );
      await work;
      return checkpoint;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Signs the state with this edge and writes it as the newest. */
async function publish(store: LogStore, identity: LogIdentity, edge: TreeEdge): Promise<Checkpoint> {
  const { origin, signers, now } = identity;
  const body = { origin, size: edge.size, root: await rootOfEdge(edge) };
  const note = signNote(formatCheckpoint(body), signers, Math.floor(now().getTime() / 1000));
  // Read back with the verifier's eyes: what could not be verified must not become the log's state.
  const checkpoint = openCheckpoint(note, { origin, keys: signers });
  await store.write([{ path: CHECKPOINT_PATH, bytes: note }]);
  return checkpoint;
}
