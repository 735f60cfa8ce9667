import { lstat, opendir, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { throwIfCancelled } from '../../core/cancel.ts';
import { reasonOf } from '../../core/error.ts';
import type { Unread } from '../finding/finding.ts';

/** Folders that hold what others wrote and a package manager fetches again. */
const FETCHED: ReadonlySet<string> = new Set(['node_modules', '__pycache__', '.venv', 'site-packages']);

/** What makes a folder a virtual environment, by whatever name it goes. */
const VIRTUAL = 'pyvenv.cfg';

/** Of a Git folder only its configuration is of interest: the address of a remote may hold a token. */
const GIT_FILES: ReadonlySet<string> = new Set(['config', '.git-credentials']);

/**
 * The regular files at and below `paths`, in a fixed order. Links inside folders are not followed, fetched packages and Git's
 * objects are passed over. What cannot be listed, and what is neither file nor folder, goes to `unread`.
 */
export async function* filesAt(
  paths: readonly string[],
  unread: (unread: Unread) => void,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const open = paths.map((path) => ({ path, given: true })).reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    throwIfCancelled(signal, 'secrets');
    const { path, given } = next;
    // A link that the caller named is followed.
    const found = await (given ? stat : lstat)(path).catch((error: unknown) => {
      unread({ path: slashed(path), reason: reasonOf(error) });
    });
    if (found === undefined || found.isSymbolicLink()) continue;
    if (found.isFile()) yield slashed(path);
    else if (found.isDirectory()) {
      const names = await namesIn(path, unread);
      const inGit = basename(path) === '.git';
      for (const name of names.sort().reverse())
        if (inGit ? GIT_FILES.has(name) : !FETCHED.has(name))
          open.push({ path: join(path, name), given: false });
    } else if (given) unread({ path: slashed(path), reason: 'neither a file nor a folder' });
  }
}

/** Whether {@link filesAt} gives a file of this name below a path, and does not pass it over. */
export function isLookedAt(name: string): boolean {
  const steps = name.split('/');
  return !steps.some((step) => FETCHED.has(step) || step === '.git') && steps.at(-1) !== VIRTUAL;
}

async function namesIn(path: string, unread: (unread: Unread) => void): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(path)) names.push(entry.name);
    return names.includes(VIRTUAL) ? [] : names;
  } catch (error) {
    unread({ path: slashed(path), reason: reasonOf(error) });
    return [];
  }
}

/** On Windows a path with `/` between its steps. */
const slashed = (path: string) => (sep === '\\' ? path.replaceAll('\\', '/') : path);
