import { Worker, type WorkerOptions } from 'node:worker_threads';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { SMALL_YOUNG_GENERATION } from '../../core/young-generation.ts';
import { endsTrust, sqliteError } from './sqlite-error.ts';
import type {
  SqliteOutcome,
  SqliteReply,
  SqliteRequest,
  SqliteResult,
  SqliteStatement,
  SqliteWorkerData,
} from './sqlite-messages.ts';

/** Requests that may wait at once: past that the disk does not keep up, and whoever asks is told. */
const MOST_WAITING = 20_000;

/** A database file in a thread of its own, because SQLite blocks the thread that it runs in. */
export interface SqliteThread {
  run(statement: SqliteStatement): Promise<SqliteResult>;
  /** All in one transaction and one write to the disk; each stands for itself. */
  each(statements: readonly SqliteStatement[]): Promise<readonly SqliteOutcome[]>;
  /** Why nothing may be asked any more. */
  readonly broken: GlacisError | undefined;
  /** Lets what was asked finish. */
  close(): Promise<void>;
}

/** Opens a database file. Errors: `store/unavailable`, `store/unusable`. */
export async function startSqliteThread(
  options: Omit<SqliteWorkerData, 'glacis'>,
  broke?: (why: GlacisError) => void,
  makeWorker = (url: URL, about: WorkerOptions) => new Worker(url, about),
): Promise<SqliteThread> {
  const file = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js';
  const worker = makeWorker(new URL(file, import.meta.url), {
    workerData: { glacis: 'sqlite', ...options } satisfies SqliteWorkerData,
    // Whatever the process was given on its command line is not for this thread.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    resourceLimits: SMALL_YOUNG_GENERATION,
  });
  const waiting = new Map<number, { resolve(reply: SqliteReply): void; reject(error: Error): void }>();
  let next = 0;
  let broken: GlacisError | undefined;
  let closing = false;
  const settled = () => {
    if (waiting.size === 0) worker.unref();
  };
  const fail = (error: GlacisError) => {
    const isFirst = broken === undefined;
    broken ??= error;
    for (const { reject } of waiting.values()) reject(broken);
    waiting.clear();
    settled();
    if (isFirst && !closing) broke?.(broken);
  };
  worker.on('message', (reply: SqliteReply) => {
    const entry = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('fault' in reply) {
      entry?.reject(sqliteError(reply.fault));
      if (endsTrust(reply.fault)) fail(sqliteError(reply.fault));
    } else entry?.resolve(reply);
    settled();
  });
  worker.on('messageerror', () => fail(gone('an answer that cannot be read')));
  worker.on('error', (thrown) => fail(gone(thrown instanceof Error ? thrown.message : String(thrown))));
  worker.on('exit', () => fail(gone(closing ? 'a closed one' : 'a thread that ended')));
  const send = (make: (id: number) => SqliteRequest | undefined): Promise<SqliteReply> =>
    new Promise((resolve, reject) => {
      if (broken) return reject(broken);
      if (waiting.size >= MOST_WAITING)
        return reject(
          new GlacisError('store/unavailable', `store: expected at most ${MOST_WAITING} requests at once`),
        );
      const id = next++;
      const request = make(id);
      if (waiting.size === 0) worker.ref();
      waiting.set(id, { resolve, reject });
      try {
        if (request) worker.postMessage(request);
      } catch (thrown) {
        waiting.delete(id);
        settled();
        reject(asGlacisError(thrown, 'run/failed', 'store: expected parameters that SQLite can hold'));
      }
    });
  // The thread answers to number 0 by itself, once the database is open.
  try {
    await send(() => undefined);
  } catch (thrown) {
    closing = true;
    await worker.terminate();
    throw thrown;
  }
  return {
    async run(statement) {
      const reply = await send((id) => ({ id, kind: 'run', statement }));
      return (reply as { result: SqliteResult }).result;
    },
    async each(statements) {
      const reply = await send((id) => ({ id, kind: 'each', statements }));
      return (reply as { outcomes: readonly SqliteOutcome[] }).outcomes;
    },
    get broken() {
      return broken;
    },
    async close() {
      if (closing) return;
      const over = broken === undefined ? send((id) => ({ id, kind: 'close' })) : undefined;
      closing = true;
      await over?.catch(() => {});
      await worker.terminate();
    },
  };
}

function gone(what: string): GlacisError {
  return new GlacisError('store/unavailable', `store: expected an open database, got ${what}`);
}
