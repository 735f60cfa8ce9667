import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfCancelled } from '../core/cancel.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';

/** How often a lock that is held is tried again, in milliseconds. */
const PAUSE = 20;
const BUSY = 5;

/** How long a lock is waited for. */
export interface LockOptions {
  /** Milliseconds. Default 10,000. */
  readonly patience?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Locks `path` (a file that is made where it is missing) against every other process and every other holder in this one,
 * and gives what unlocks it. The operating system holds the lock and frees it when the process ends, however it ends, so
 * that nobody has to judge whether a holder is still alive. Node has no call for such locks; SQLite takes one on every
 * platform when it opens a transaction, and nothing is ever written to its file.
 *
 * Errors: `ledger/locked` when the patience ends, `run/cancelled`, `output/unwritable`.
 */
export async function lockFile(
  path: string,
  { patience = 10_000, signal }: LockOptions = {},
): Promise<() => void> {
  const { DatabaseSync } = await import('node:sqlite');
  try {
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      for (let waited = 0; ; waited += PAUSE) {
        throwIfCancelled(signal, path);
        if (begins(database)) break;
        if (waited >= patience)
          throw new GlacisError(
            'ledger/locked',
            `${path}: expected the lock to be released, but after ${patience / 1000} s another process still holds it`,
          );
        await sleep(PAUSE);
      }
    } catch (thrown) {
      database.close();
      throw thrown;
    }
    return () => database.close();
  } catch (thrown) {
    throw asGlacisError(thrown, 'output/unwritable', path);
  }
}

function begins(database: { exec(sql: string): void }): boolean {
  try {
    // In memory, because a process that is killed would leave a journal behind.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return true;
  } catch (thrown) {
    if ((thrown as { errcode?: number }).errcode === BUSY) return false;
    throw thrown;
  }
}
