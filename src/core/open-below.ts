import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { GlacisError } from './error.ts';

/** Makes the error for a location that may not be used; `reason` goes on after "expected a plain file in the folder, but ". */
export type Refuse = (reason: string, cause?: unknown) => GlacisError;

/** The steps of a relative location, or why it may not be used. `location` is attacker-controlled. */
function steps(location: string): readonly string[] | string {
  if (location.includes('\0') || !location.isWellFormed()) return 'holds bytes that no file name may hold';
  if (location.includes('\\')) return 'holds a backslash';
  if (location.includes(':')) return 'holds a colon (a drive or a data stream)';
  if (location.startsWith('/')) return 'is absolute';
  const parts = location.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return 'leads out of the folder with ".."';
  if (location.endsWith('/') || parts.length === 0) return 'names no file';
  if (parts.some((part) => /[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part)))
    return 'is a reserved name on some systems';
  return parts;
}

// Without O_NONBLOCK, opening a named pipe would wait for ever.
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Whether files can be opened relative to an open folder. */
export const HAS_DESCRIPTORS: boolean = existsSync('/proc/self/fd');

/**
 * Opens `location` for reading only if it is a plain file below `directory`: no absolute path, no `..`, no backslash, no
 * symbolic link at any step, no hard link (a second name of a file elsewhere), no pipe or device. The checks are made on
 * the very descriptor that is returned. On Linux each step is opened relative to the folder before it, so that nobody can
 * swap a folder for a link meanwhile; elsewhere the steps are looked at before and after opening.
 *
 * @param location attacker-controlled, with `/` between its steps
 * @throws what `refuse` makes
 */
export async function openBelow(
  directory: string,
  location: string,
  refuse: Refuse,
  how: 'descriptors' | 'paths' = HAS_DESCRIPTORS ? 'descriptors' : 'paths',
): Promise<FileHandle> {
  const parts = steps(location);
  if (typeof parts === 'string') throw refuse(`it ${parts}`);
  const handle = await (how === 'descriptors' ? openByDescriptors : openByPath)(directory, parts, refuse);
  try {
    checkPlain(await handle.stat(), refuse);
    return handle;
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

/**
 * The bytes of a small file, opened as {@link openBelow} does by descriptors ({@link HAS_DESCRIPTORS}), while the thread stands still: a dozen calls of some microseconds each, where handing each to another thread
 * and waiting for it takes ten times as long. Undefined for more than `most` bytes.
 *
 * @param location attacker-controlled, with `/` between its steps
 * @throws what `refuse` makes
 */
export function readBelow(
  directory: string,
  location: string,
  refuse: Refuse,
  most: number,
): Buffer | undefined {
  const parts = steps(location);
  if (typeof parts === 'string') throw refuse(`it ${parts}`);
  let at = opened(directory, constants.O_RDONLY | constants.O_DIRECTORY, (cause) =>
    refuse(`the folder cannot be opened: ${cause.message}`, cause),
  );
  try {
    for (const [i, part] of parts.entries()) {
      const flags = i === parts.length - 1 ? READ : READ | constants.O_DIRECTORY;
      const next = opened(`/proc/self/fd/${at}/${part}`, flags, (cause) => refuse(reasonFor(cause), cause));
      closeSync(at);
      at = next;
    }
    const stat = fstatSync(at);
    checkPlain(stat, refuse);
    if (stat.size > most) return undefined;
    const bytes = Buffer.alloc(stat.size);
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(at, bytes, done, bytes.length - done, done);
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  } finally {
    closeSync(at);
  }
}

function opened(path: string, flags: number, failed: (cause: NodeJS.ErrnoException) => GlacisError): number {
  try {
    return openSync(path, flags);
  } catch (cause) {
    throw failed(cause as NodeJS.ErrnoException);
  }
}

function checkPlain(stat: { isFile(): boolean; readonly nlink: number }, refuse: Refuse): void {
  if (!stat.isFile()) throw refuse('it is not a regular file');
  if (stat.nlink > 1) throw refuse('it has several hard links; copy it into the folder as a file of its own');
}

async function openByDescriptors(
  directory: string,
  parts: readonly string[],
  refuse: Refuse,
): Promise<FileHandle> {
  let folder = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY).catch((cause: Error) => {
    throw refuse(`the folder cannot be opened: ${cause.message}`, cause);
  });
  try {
    for (const [i, part] of parts.entries()) {
      const flags = i === parts.length - 1 ? READ : READ | constants.O_DIRECTORY;
      const next = await open(`/proc/self/fd/${folder.fd}/${part}`, flags).catch(
        (cause: NodeJS.ErrnoException) => {
          throw refuse(reasonFor(cause), cause);
        },
      );
      if (i === parts.length - 1) return next;
      await folder.close();
      folder = next;
    }
    throw refuse('it names no file');
  } finally {
    await folder.close();
  }
}

function reasonFor(cause: NodeJS.ErrnoException): string {
  switch (cause.code) {
    case 'ELOOP':
      return 'it is a symbolic link; copy the file itself into the folder';
    case 'ENOTDIR':
      return 'a step of its path is a symbolic link or no folder';
    case 'ENOENT':
      return 'it is not there';
    default:
      return `it cannot be opened: ${cause.code ?? cause.message}`;
  }
}

async function openByPath(directory: string, parts: readonly string[], refuse: Refuse): Promise<FileHandle> {
  const walk = async () => {
    let path = directory;
    let stat: Awaited<ReturnType<typeof lstat>> | undefined;
    for (const part of parts) {
      path = join(path, part);
      stat = await lstat(path).catch((cause: NodeJS.ErrnoException) => {
        throw refuse(reasonFor(cause), cause);
      });
      if (stat.isSymbolicLink()) throw refuse('a step of its path is a symbolic link');
    }
    return { path, stat };
  };
  const { path } = await walk();
  const handle = await open(path, READ).catch((cause: NodeJS.ErrnoException) => {
    throw refuse(reasonFor(cause), cause);
  });
  try {
    const [opened, after] = await Promise.all([handle.stat(), walk()]);
    if (after.stat?.ino !== opened.ino || after.stat.dev !== opened.dev)
      throw refuse('it changed while it was opened');
    return handle;
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}
