import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { GlacisError } from '../core/error.ts';
import { tooLarge } from './log-source.ts';

/** The files of a log in a folder, read without a pause: for threads that do nothing else. */
export interface SyncFolder {
  /** As `LogSource.read`. `path` is one of the log's own making, not an attacker's. */
  read(path: string, most: number): Buffer | undefined;
  close(): void;
}

const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
/** Folders that are kept open. */
const KEPT = 16;

/**
 * Opens a folder for it. As with `folderSource`, links, pipes and devices are refused at every step; a folder that was walked once is kept
 * open, because a log has 1,000 files in one. Errors (of `read`): `ledger/unreadable`.
 */
export function syncFolder(folder: string): SyncFolder {
  const byDescriptors = existsSync('/proc/self/fd');
  const open = new Map<string, number>();
  const refuse = (path: string, reason: string) =>
    new GlacisError('ledger/unreadable', `${folder}/${path}: expected a plain file, but ${reason}`);
  const step = (at: number | string, name: string, flags: number, path: string): number | undefined => {
    const full = typeof at === 'number' ? `/proc/self/fd/${at}/${name}` : join(at, name);
    try {
      return openSync(full, flags);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      throw refuse(path, code === 'ELOOP' ? 'it is a symbolic link' : `it cannot be opened: ${code}`);
    }
  };
  /** The descriptor of a folder below the log's. */
  const folderAt = (path: string): number | undefined => {
    const known = open.get(path);
    if (known !== undefined) return known;
    const cut = path.lastIndexOf('/');
    const parent = path === '' ? undefined : folderAt(cut < 0 ? '' : path.slice(0, cut));
    if (path !== '' && parent === undefined) return undefined;
    const flags = path === '' ? constants.O_RDONLY : READ | constants.O_DIRECTORY;
    const found =
      parent === undefined ? step(folder, '.', flags, path) : step(parent, path.slice(cut + 1), flags, path);
    if (found === undefined) return undefined;
    open.set(path, found);
    for (const [name, descriptor] of open) {
      if (open.size <= KEPT) break;
      if (name === '' || path.startsWith(name)) continue;
      closeSync(descriptor);
      open.delete(name);
    }
    return found;
  };
  const descriptorOf = (path: string): number | undefined => {
    if (byDescriptors) {
      const cut = path.lastIndexOf('/');
      const parent = folderAt(cut < 0 ? '' : path.slice(0, cut));
      return parent === undefined ? undefined : step(parent, path.slice(cut + 1), READ, path);
    }
    let at = folder;
    for (const part of path.split('/').slice(0, -1)) {
      at = join(at, part);
      const found = lstatSync(at, { throwIfNoEntry: false });
      if (found === undefined) return undefined;
      if (!found.isDirectory()) throw refuse(path, 'a step of its path is a symbolic link or no folder');
    }
    return step(folder, path, READ, path);
  };
  return {
    read(path, most) {
      const descriptor = descriptorOf(path);
      if (descriptor === undefined) return undefined;
      try {
        const stat = fstatSync(descriptor);
        if (!stat.isFile() || stat.nlink > 1)
          throw refuse(path, 'it is something else, or has several names');
        if (stat.size > most) throw tooLarge(`${folder}/${path}`, most);
        const bytes = Buffer.allocUnsafeSlow(stat.size);
        let done = 0;
        while (done < stat.size) {
          const n = readSync(descriptor, bytes, done, stat.size - done, done);
          if (n === 0) break;
          done += n;
        }
        return bytes.subarray(0, done);
      } finally {
        closeSync(descriptor);
      }
    },
    close() {
      for (const descriptor of open.values()) closeSync(descriptor);
      open.clear();
    },
  };
}
