import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfCancelled } from '../core/cancel.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { parseLedger, type Reserved, type Spent } from './ledger-record.ts';

/** Most bytes of a ledger: some 250,000 runs. */
const MOST_BYTES = 64 * 2 ** 20;

/** How long to wait for another process, and how often to look, in milliseconds. */
const PATIENCE = 10_000;
const PAUSE = 50;

/** What a change of the ledger needs from outside. */
export interface LedgerAccess {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds to wait for the lock. Default 10,000. */
  readonly patience?: number;
}

/**
 * All records of the ledger at `path`; none when there is no such file. Anything else that keeps it from being read whole is
 * an error, because a budget that cannot be looked up must count as spent.
 * Errors: `privacy/ledger`.
 */
export async function readLedger(path: string): Promise<readonly (Reserved | Spent)[]> {
  try {
    const file = await openSafely(path, constants.O_RDONLY);
    try {
      return await recordsOf(file, path);
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw asGlacisError(thrown, 'privacy/ledger', path);
  }
}

/**
 * Adds the line that `next` makes of the records so far, if any, alone under the ledger's lock (`path` + `.lock`), and returns when
 * it is on the disk. A line that could not be written whole is taken back. Folder and file are made where they are missing,
 * for their owner alone. Errors: `privacy/ledger`, `run/cancelled`; those of `next` pass, and nothing is written.
 */
export async function appendToLedger(
  path: string,
  next: (records: readonly (Reserved | Spent)[]) => string | undefined,
  { signal, patience = PATIENCE }: LedgerAccess = {},
): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const unlock = await lock(`${path}.lock`, patience, signal);
    try {
      const file = await openSafely(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT);
      try {
        const text = next(await recordsOf(file, path));
        if (text === undefined) return;
        const line = Buffer.from(text);
        const { size } = await file.stat();
        try {
          const { bytesWritten } = await file.write(line);
          if (bytesWritten !== line.length) throw new Error('the disk took only a part of the line');
          await file.sync();
        } catch (thrown) {
          await file.truncate(size);
          throw thrown;
        }
      } finally {
        await file.close();
      }
      await syncFolder(dirname(path));
    } finally {
      await unlock();
    }
  } catch (thrown) {
    throw asGlacisError(thrown, 'privacy/ledger', path);
  }
}

/** Opens a plain file that belongs to this user and that nobody else may write; no link is followed. */
async function openSafely(path: string, flags: number): Promise<FileHandle> {
  // Without O_NONBLOCK, opening a named pipe would wait for ever.
  const file = await open(path, flags | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0), 0o600);
  const { uid, mode, size, ...stat } = await file.stat().then((s) => ({
    uid: s.uid,
    mode: s.mode,
    size: s.size,
    plain: s.isFile(),
  }));
  const refusal = !stat.plain
    ? 'a plain file'
    : process.getuid !== undefined && uid !== process.getuid()
      ? 'a file of the user that runs Glacis'
      : process.platform !== 'win32' && (mode & 0o022) !== 0
        ? `a file that only its owner may write (chmod 600), got mode ${(mode & 0o777).toString(8)}`
        : size > MOST_BYTES
          ? `at most ${MOST_BYTES} bytes, got ${size}`
          : undefined;
  if (refusal === undefined) return file;
  await file.close();
  throw new GlacisError('privacy/ledger', `${path}: expected ${refusal}`);
}

async function recordsOf(file: FileHandle, path: string): Promise<readonly (Reserved | Spent)[]> {
  const bytes = Buffer.alloc((await file.stat()).size);
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, done);
    if (bytesRead === 0)
      throw new GlacisError('privacy/ledger', `${path}: it became shorter while it was read`);
    done += bytesRead;
  }
  return parseLedger(bytes.toString('utf8'), path);
}

/** Makes the lock file, which only one process can, and gives what removes it. */
async function lock(
  path: string,
  patience: number,
  signal: AbortSignal | undefined,
): Promise<() => Promise<void>> {
  for (let waited = 0; ; waited += PAUSE) {
    throwIfCancelled(signal, path);
    try {
      await (await open(path, 'wx', 0o600)).close();
      return () => rm(path);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
      if (waited >= patience)
        throw new GlacisError(
          'privacy/ledger',
          `${path}: expected the lock to be released, but after ${patience / 1000} s it is still there; if no other Glacis runs, remove it`,
        );
    }
    await sleep(PAUSE);
  }
}

/** Flushes a folder, so that a new file in it stays after a power failure; Windows has no such call. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
