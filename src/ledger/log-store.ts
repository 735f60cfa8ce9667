import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asGlacisError } from '../core/error.ts';
import { type LockOptions, lockFile } from './folder-lock.ts';
import { folderJournal, type JournalStore, syncFolder } from './journal-store.ts';
import { folderSource, type LogSource } from './log-source.ts';
import { writeAll } from './write-all.ts';

/** Where a log is written. */
export interface LogStore extends LogSource {
  /** Writes files, each as a whole or not at all; all of them are safe from a power failure when this returns. */
  write(files: readonly LogFile[]): Promise<void>;
  /** Removes a folder with everything in it; one that is not there is no error. */
  remove(folder: string): Promise<void>;
  /** Where the store can keep a journal: what lets entries be acknowledged before their tiles are flushed. */
  readonly journal?: JournalStore | undefined;
  /** Shuts every other writer out until what it gives is called, or this process ends. */
  lock(options?: LockOptions): Promise<() => void>;
}

/** A file of a log and its bytes. */
export interface LogFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Where files are written before they get their name; on the same file system, so that renaming is one step. */
const STAGING = '.staging';

/**
 * A log in a folder, which is made where it is missing. `write` flushes each file, renames it, and flushes the folders:
 * one flush of a folder for all files in it. `mayBlock`: the thread has nothing else to do, so that it may stand still while a short record of the journal is written. Errors: `output/unwritable`, `ledger/locked`, `ledger/unreadable`.
 */
export function folderStore(
  folder: string,
  { mayBlock = false }: { readonly mayBlock?: boolean } = {},
): LogStore {
  const made = new Set<string>();
  const unwritable = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      throw asGlacisError(thrown, 'output/unwritable', folder);
    }
  };
  /** Makes a folder below the log's and gives all folders whose list of names changed by that. */
  const makeFolder = async (path: string, changed: Set<string>): Promise<void> => {
    if (made.has(path)) return;
    const first = await mkdir(path, { recursive: true });
    for (let at = path; first !== undefined && at.length >= first.length; at = dirname(at))
      changed.add(dirname(at));
    made.add(path);
  };
  return {
    ...folderSource(folder),
    journal: folderJournal(folder, mayBlock),
    write: (files) =>
      unwritable(async () => {
        const changed = new Set<string>();
        const staging = join(folder, STAGING);
        await makeFolder(staging, changed);
        const staged = files.map(({ path }) => ({
          to: join(folder, path),
          from: join(staging, randomBytes(9).toString('hex')),
        }));
        await Promise.all(files.map(({ bytes }, i) => writeThrough(staged[i]!.from, bytes)));
        for (const { from, to } of staged) {
          await makeFolder(dirname(to), changed);
          changed.add(dirname(to));
          await rename(from, to);
        }
        for (const path of changed) await syncFolder(path);
      }),
    remove: (path) =>
      unwritable(async () => {
        const target = join(folder, path);
        await rm(target, { recursive: true, force: true });
        for (const known of made) if (known === target || known.startsWith(`${target}/`)) made.delete(known);
      }),
    lock: (options) =>
      unwritable(async () => {
        await mkdir(folder, { recursive: true });
        const unlock = await lockFile(join(folder, '.lock'), options);
        try {
          // Only a writer that was killed leaves files here, and nobody else writes now.
          const staging = join(folder, STAGING);
          const left = await readdir(staging).catch(() => []);
          for (const name of left) await rm(join(staging, name), { recursive: true, force: true });
          return unlock;
        } catch (thrown) {
          unlock();
          throw thrown;
        }
      }),
  };
}

async function writeThrough(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', 0o644);
  try {
    await writeAll(handle, bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
