import { join, sep } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { openBelow } from '../../core/open-below.ts';
import { type ByteSource, fileSource } from '../../data/byte-source.ts';
import type { Collection } from './scanner.ts';
import type { Walk } from './walk.ts';

/**
 * Each folder of a walk as the collection of all files below it; a file alone lies in its own folder. `vouch` hears of the files that somebody vouched for,
 * as the walk calls them.
 */
export function foldersOf(
  root: string,
  { files, folders }: Pick<Walk, 'files' | 'folders'>,
  vouch: (path: string) => void,
): ReadonlyMap<string, Collection> {
  const collections = new Map<string, Collection & { readonly members: { name: string; size: number }[] }>();
  for (const folder of folders.length > 0 ? folders : [parentOf(root)])
    collections.set(folder, {
      kind: 'folder',
      members: [],
      open: (name) => openIn(folder, name),
      vouch(name) {
        // Attacker-controlled: a model vouches for what lies with it and for nothing else.
        if (!name.split(/[\\/]/).includes('..')) vouch(join(folder, ...name.split('/')));
      },
    });
  for (const { path, size } of files)
    for (let folder = parentOf(path), last = ''; folder !== last; last = folder, folder = parentOf(folder)) {
      const name = slashed(folder === '.' ? path : path.slice(folder.length).replace(/^[\\/]/, ''));
      collections.get(folder)?.members.push({ name, size });
    }
  return collections;
}

async function openIn(folder: string, name: string): Promise<ByteSource> {
  const handle = await openBelow(
    folder,
    name,
    (reason, cause) =>
      new GlacisError('data/unreadable', `${name}: expected a plain file in the folder, but ${reason}`, {
        cause,
      }),
  );
  return fileSource(handle, (await handle.stat()).size, name);
}

/** The folder that a path lies in. */
export function parentOf(path: string): string {
  const at = path.lastIndexOf(sep);
  return at < 0 ? '.' : path.slice(0, Math.max(1, at));
}

/** A path with `/` between its steps, as results have it. */
export function slashed(path: string): string {
  return path.split(sep).join('/');
}
