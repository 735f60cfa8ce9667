import { type BigIntStats, realpathSync, statSync } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { throwIfCancelled } from '../../core/cancel.ts';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { Ignored } from './ignored.ts';

/** A file's identity and state; it must be the same before and after the file is read. */
export interface FileState {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** A regular file of a model. */
export interface ModelFile {
  /** Relative to the model with `/` between its steps; the file's own name where the model is one file. */
  readonly name: string;
  /** Where it is opened. */
  readonly path: string;
  readonly state: FileState;
}

/** What a model consists of. */
export interface Walk {
  /** The model's own name: the last step of its path. */
  readonly name: string;
  /** Whether the model is one file and not a folder. */
  readonly single: boolean;
  readonly files: readonly ModelFile[];
  /** Entries that a manifest cannot hold, and why: links that are not allowed, pipes and devices, names that are not UTF-8. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
  /** Links that lead out of the model or in a circle. */
  readonly warnings: readonly string[];
}

/** How a model's folder is walked. */
export interface WalkOptions {
  readonly ignored: Ignored;
  /** Whether symbolic links are followed; otherwise they are refused. The path of the model itself may always be a link. */
  readonly allowSymlinks: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** More entries than any model has. */
const MOST_ENTRIES = 2_000_000;

/**
 * Lists the regular files of the model at `path`, a file or a folder. Ignored entries are not looked at, so a link in an ignored folder is
 * no error. Nothing is read. Errors: `model/unreadable`; `manifest/refused` for more than 2,000,000 entries.
 */
export async function walkModel(path: string, options: WalkOptions): Promise<Walk> {
  const { root, found } = placeOf(path);
  const name = basename(root);
  if (found.isFile()) {
    const file = { name, path: root, state: stateOf(found) };
    return { name, single: true, files: [file], refused: [], warnings: [] };
  }
  if (!found.isDirectory())
    throw new GlacisError('model/unreadable', `${path}: expected a file or a folder, got something else`);
  return { name, single: false, ...(await walkFolder(root, options)) };
}

/** Where the model really lies. Asked on the spot: most models are one file, and two hops to another thread are a tenth of the time of a small one. */
function placeOf(path: string): { readonly root: string; readonly found: BigIntStats } {
  try {
    const root = realpathSync.native(path);
    return { root, found: statSync(root, { bigint: true }) };
  } catch (thrown) {
    throw asGlacisError(thrown, 'model/unreadable', path);
  }
}

/** A folder still to be listed. */
interface Pending {
  /** Without links in it. */
  readonly path: string;
  readonly name: string;
  /** The folder and those that the walk came through: to meet one of them again is a circle. */
  readonly above: readonly string[];
}

async function walkFolder(root: string, { ignored, allowSymlinks, signal }: WalkOptions) {
  const files: ModelFile[] = [];
  const refused: { name: string; reason: string }[] = [];
  const warnings: string[] = [];
  const pending: Pending[] = [{ path: root, name: '', above: [root] }];
  let entries = 0;
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    throwIfCancelled(signal, 'walking the model');
    const listed = await readdir(folder.path, { encoding: 'buffer' }).catch(unreadable(folder.path));
    entries += listed.length;
    if (entries > MOST_ENTRIES)
      throw new GlacisError(
        'manifest/refused',
        `${root}: expected at most ${MOST_ENTRIES} entries, got more`,
      );
    for (const bytes of listed) {
      const own = bytes.toString('utf8');
      const name = folder.name === '' ? own : `${folder.name}/${own}`;
      if (!Buffer.from(own).equals(bytes)) {
        refused.push({ name, reason: 'its name is not valid UTF-8' });
        continue;
      }
      if (ignored(name)) continue;
      let path = join(folder.path, own);
      let state = await lstat(path, { bigint: true }).catch(unreadable(path));
      if (state.isSymbolicLink()) {
        if (!allowSymlinks) {
          refused.push({ name, reason: 'it is a symbolic link, and links are not allowed' });
          continue;
        }
        path = await realpath(path).catch(unreadable(path));
        state = await stat(path, { bigint: true }).catch(unreadable(path));
        if (leadsOut(root, path)) warnings.push(`${name}: a link that leads out of the model`);
      }
      if (state.isFile()) files.push({ name, path, state: stateOf(state) });
      else if (!state.isDirectory()) refused.push({ name, reason: 'it is neither a file nor a folder' });
      else if (folder.above.includes(path))
        warnings.push(`${name}: a link back to a folder above it; not followed`);
      else pending.push({ path, name, above: [...folder.above, path] });
    }
  }
  return { files, refused, warnings };
}

function leadsOut(root: string, target: string): boolean {
  const path = relative(root, target);
  return path === '..' || path.startsWith(`..${sep}`);
}

function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileState {
  return { dev, ino, size, mtimeNs, ctimeNs };
}

function unreadable(path: string): (thrown: unknown) => never {
  return (thrown) => {
    throw asGlacisError(thrown, 'model/unreadable', path);
  };
}
