import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { throwIfCancelled } from '../../core/cancel.ts';
import { reasonOf } from '../../core/error.ts';

/** What lies below a path. */
export interface Walk {
  /** Every regular file, in the order of their names. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** Every folder, the given one first. */
  readonly folders: readonly string[];
  /** What was found and not entered, with the reason. */
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
  /** Folders that were passed over on purpose. */
  readonly passedOver: readonly string[];
}

/** Version control keeps its own copies, packed; no loader looks there. */
const PASSED_OVER: ReadonlySet<string> = new Set(['.git']);

/**
 * Lists what lies below `root`: a file alone, or a folder with all below it. Links that lead to something below `root` are left
 * out, because their target is listed; those that lead out of it are refused, not followed. Never throws for what lies there.
 * Errors: `run/cancelled`.
 */
export async function walk(root: string, signal?: AbortSignal): Promise<Walk> {
  const files: { path: string; size: number }[] = [];
  const folders: string[] = [];
  const refused: { path: string; reason: string }[] = [];
  const passedOver: string[] = [];
  const done = { files, folders, refused, passedOver };
  let real: string;
  try {
    const found = await stat(root);
    if (found.isFile()) return { ...done, files: [{ path: root, size: found.size }] };
    if (!found.isDirectory())
      return { ...done, refused: [{ path: root, reason: 'neither a file nor a folder' }] };
    real = await realpath(root);
  } catch (thrown) {
    return { ...done, refused: [{ path: root, reason: reasonOf(thrown) }] };
  }
  const pending = [root];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    throwIfCancelled(signal, 'scan');
    folders.push(folder);
    let entries: Dirent[];
    try {
      entries = await readdir(folder, { withFileTypes: true });
    } catch (thrown) {
      refused.push({ path: folder, reason: reasonOf(thrown) });
      continue;
    }
    const below: string[] = [];
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (PASSED_OVER.has(entry.name)) passedOver.push(path);
        else below.push(path);
      } else if (entry.isFile()) {
        files.push({ path, size: (await lstat(path).catch(() => ({ size: 0 }))).size });
      } else {
        const reason = entry.isSymbolicLink() ? await linkProblem(path, real) : 'neither a file nor a folder';
        if (reason !== undefined) refused.push({ path, reason });
      }
    }
    pending.push(...below.reverse());
  }
  return done;
}

async function linkProblem(path: string, root: string): Promise<string | undefined> {
  try {
    const way = relative(root, await realpath(path));
    const leadsOut = way === '..' || way.startsWith(`..${sep}`) || resolve(way) === way;
    return leadsOut ? 'a link that leads out of the folder; scan what it leads to' : undefined;
  } catch (thrown) {
    return `a link that leads nowhere: ${reasonOf(thrown)}`;
  }
}
