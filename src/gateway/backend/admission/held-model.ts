import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { throwIfCancelled } from '../../../core/cancel.ts';
import { asGlacisError, GlacisError } from '../../../core/error.ts';
import { openBelow } from '../../../core/open-below.ts';
import { GIT_PATHS, ignoring } from '../../../supply/sign/ignored.ts';
import { rootDigest } from '../../../supply/sign/manifest.ts';
import { byCodePoints } from '../../../supply/sign/resource-name.ts';
import { walkModel } from '../../../supply/sign/walk.ts';

/** A file of a model in memory. */
export interface HeldFile {
  /** Relative to the model, with `/` between its steps; the file's own name where the model is one file. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of `bytes`, hexadecimal. */
  readonly digest: string;
}

/** A model whose every byte was read once. What is checked and what is loaded are these bytes, whatever becomes of the files. */
export interface HeldModel {
  readonly name: string;
  /** Whether the model is one file and not a folder. */
  readonly single: boolean;
  /** In the order of their names' code points. */
  readonly files: readonly HeldFile[];
  /** `sha256:` and the root digest of all files, as `glacis digest` shows it. */
  readonly root: string;
}

/** How a model is read. */
export interface HoldOptions {
  /** Most bytes of all files together. */
  readonly most: number;
  /** Paths in the folder that are no part of the model, beside what git leaves. */
  readonly ignore: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

const READ = 2 ** 20;
// Without O_NONBLOCK, opening a named pipe would wait for ever.
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Reads the model at `path` into memory, hashing as it reads, in steps that leave the thread free in between. The path itself may be a link; inside a folder there
 * may be none, neither symbolic nor hard, and nothing but files and folders.
 * Errors: `model/unreadable`, `model/too-large`, `manifest/refused`, `manifest/changed` for a file that shrinks meanwhile.
 */
export async function holdModel(path: string, options: HoldOptions): Promise<HeldModel> {
  const { ignore, signal } = options;
  const root = await realpath(path).catch((thrown) => {
    throw asGlacisError(thrown, 'model/unreadable', path);
  });
  const room = { left: options.most };
  if (!(await stat(root)).isDirectory()) {
    const name = basename(root);
    const handle = await open(root, FLAGS).catch((thrown) => {
      throw asGlacisError(thrown, 'model/unreadable', path);
    });
    return heldFrom(name, true, [await read(handle, name, path, room, signal)]);
  }
  const ignored = ignoring([...ignore, ...GIT_PATHS]);
  const walk = await walkModel(root, { ignored, allowSymlinks: false, signal });
  const refuse = (name: string) => (reason: string, cause?: unknown) =>
    new GlacisError('manifest/refused', `${path}: ${name}: ${reason}`, { cause });
  const [bad] = walk.refused;
  if (bad) throw refuse(bad.name)(bad.reason);
  if (walk.files.length === 0)
    throw new GlacisError('manifest/refused', `${path}: expected a model with at least one file, got none`);
  const files: HeldFile[] = [];
  for (const { name } of walk.files)
    files.push(await read(await openBelow(root, name, refuse(name)), name, path, room, signal));
  return heldFrom(walk.name, false, files);
}

/** A model from files that are in memory already. */
export function heldFrom(name: string, single: boolean, files: readonly HeldFile[]): HeldModel {
  const sorted = files.toSorted((a, b) => byCodePoints(a.name, b.name));
  return { name, single, files: sorted, root: `sha256:${rootDigest(sorted)}` };
}

async function read(
  handle: FileHandle,
  name: string,
  path: string,
  room: { left: number },
  signal: AbortSignal | undefined,
): Promise<HeldFile> {
  try {
    const found = await handle.stat();
    const { size } = found;
    if (!found.isFile())
      throw new GlacisError('model/unreadable', `${path}: ${name}: expected a file, got something else`);
    if (size > room.left)
      throw new GlacisError(
        'model/too-large',
        `${path}: ${name}: expected at most ${room.left} bytes, got ${size}`,
      );
    room.left -= size;
    const bytes = new Uint8Array(size);
    const hash = createHash('sha256');
    for (let at = 0; at < size; ) {
      throwIfCancelled(signal, path);
      const { bytesRead } = await handle.read(bytes, at, Math.min(READ, size - at), at);
      if (bytesRead === 0)
        throw new GlacisError('manifest/changed', `${path}: ${name}: the file shrank while it was read`);
      hash.update(bytes.subarray(at, at + bytesRead));
      at += bytesRead;
    }
    return { name, bytes, digest: hash.digest('hex') };
  } catch (thrown) {
    throw asGlacisError(thrown, 'model/unreadable', `${path}: ${name}`);
  } finally {
    await handle.close();
  }
}
