import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asGlacisError } from '../core/error.ts';
import { type JournalFile, openJournalFile } from './journal-file.ts';
import type { LogFile } from './log-store.ts';
import { writeAll } from './write-all.ts';

/** Where the journal's two segments lie. They take turns: one is filled while what is in the other goes into tiles. */
export const JOURNAL_PATHS = ['.journal/0', '.journal/1'] as const;

/** Bytes of a segment at most: a writer turns to the other long before. */
export const MOST_SEGMENT_BYTES = 512 << 20;

/** What a store must be able to do so that entries can be acknowledged before tiles are flushed. */
export interface JournalStore {
  /** An empty segment in place of whatever is there; durable when this resolves. */
  open(path: string): Promise<JournalFile>;
  /** Removes segments; durable when this returns. */
  remove(paths: readonly string[]): Promise<void>;
  /** Writes files, each as a whole or not at all for whoever reads them; a power failure may lose them until {@link flush}. */
  place(files: readonly LogFile[]): Promise<void>;
  /** Makes files that were placed safe from a power failure. Files that are gone by now are passed over. */
  flush(paths: readonly string[]): Promise<void>;
}

/** Files that are flushed side by side: so many that the disk is busy, so few that others find a thread of the pool. */
const SIDE_BY_SIDE = 2;

/** The journal of a log in a folder. `mayBlock` as for {@link openJournalFile}. Errors: `output/unwritable`. */
export function folderJournal(folder: string, mayBlock = false): JournalStore {
  let staged = 0;
  let hasStaging = false;
  const fails = (thrown: unknown): never => {
    throw asGlacisError(thrown, 'output/unwritable', folder);
  };
  const unwritable = <T>(work: () => Promise<T>): Promise<T> => work().catch(fails);
  return {
    open: (path) =>
      unwritable(async () => {
        const target = join(folder, path);
        await mkdir(dirname(target), { recursive: true });
        const file = await openJournalFile(target, mayBlock);
        try {
          await syncFolder(dirname(target));
          await syncFolder(folder);
        } catch (thrown) {
          await file.close();
          throw thrown;
        }
        return {
          append(bytes) {
            try {
              return file.append(bytes)?.catch(fails);
            } catch (thrown) {
              return fails(thrown);
            }
          },
          close: () => file.close().catch(fails),
        };
      }),
    remove: (paths) =>
      unwritable(async () => {
        for (const path of paths) await rm(join(folder, path), { force: true });
        const at = dirname(join(folder, paths[0] ?? ''));
        await mkdir(at, { recursive: true });
        await syncFolder(at);
      }),
    place: (files) =>
      unwritable(async () => {
        if (!hasStaging) await mkdir(join(folder, '.staging'), { recursive: true });
        hasStaging = true;
        for (const { path, bytes } of files) {
          const from = join(folder, '.staging', `placed-${staged++}`);
          const to = join(folder, path);
          const handle = await open(from, 'w', 0o644);
          try {
            await writeAll(handle, bytes);
          } finally {
            await handle.close();
          }
          await rename(from, to).catch(async (thrown: NodeJS.ErrnoException) => {
            // The first file of its folder. Which folders there are is not remembered: every second has one for its partial tiles, and it goes again.
            if (thrown.code !== 'ENOENT') throw thrown;
            await mkdir(dirname(to), { recursive: true });
            await rename(from, to);
          });
        }
      }),
    flush: (paths) =>
      unwritable(async () => {
        const files = [...paths];
        const folders = new Set<string>();
        for (const path of paths)
          for (let at = dirname(join(folder, path)); at.length >= folder.length; at = dirname(at)) {
            if (folders.has(at)) break;
            folders.add(at);
          }
        const worker = async (names: string[], sync: (path: string) => Promise<void>) => {
          for (let name = names.pop(); name !== undefined; name = names.pop()) await sync(name);
        };
        const all = (names: string[], sync: (path: string) => Promise<void>) =>
          Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => worker(names, sync)));
        await all(files, (path) => syncFile(join(folder, path)));
        await all([...folders], syncFolder);
      }),
  };
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return undefined;
    throw thrown;
  });
  try {
    await handle?.datasync();
  } finally {
    await handle?.close();
  }
}

/** Flushes a folder's list of names; Windows has no such call. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, constants.O_RDONLY).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return undefined;
    throw thrown;
  });
  try {
    await folder?.sync();
  } finally {
    await folder?.close();
  }
}
