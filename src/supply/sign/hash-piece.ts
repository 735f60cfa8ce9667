import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { Hasher } from './hash-type.ts';
import type { FileState, ModelFile } from './walk.ts';

/** The bytes of a file that give one digest. */
export interface Piece {
  readonly file: Pick<ModelFile, 'path' | 'state'>;
  /** First byte. */
  readonly start: number;
  /** The byte after the last. */
  readonly end: number;
}

/** Reads of this size kept both cores busiest in a trial (128–256 KiB were best; larger ones leave the cache). */
const READ = 1 << 18;

// Without O_NONBLOCK, opening a named pipe that took the file's place would wait for ever.
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Hashes a piece read by read: gives the number of bytes of each read, and the digest in lowercase hexadecimal at the end. Memory is one read's,
 * whatever the piece's size. The open file must be the one that was listed, in the same state before and after: what changes meanwhile gets no
 * digest. Errors: `model/unreadable`, `manifest/changed`.
 */
export function* hashSteps({ file, start, end }: Piece, hasher: Hasher): Generator<number, string> {
  const { path, state } = file;
  let fd: number | undefined;
  try {
    fd = openSync(path, FLAGS);
    requireSame(fd, state, path);
    const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(READ, end - start)));
    for (let at = start; at < end; ) {
      const got = readSync(fd, buffer, 0, Math.min(buffer.length, end - at), at);
      if (got === 0) throw changed(path);
      hasher.update(got === buffer.length ? buffer : buffer.subarray(0, got));
      at += got;
      yield got;
    }
    requireSame(fd, state, path);
    return hasher.hex();
  } catch (thrown) {
    throw asGlacisError(thrown, 'model/unreadable', path);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function requireSame(fd: number, state: FileState, path: string): void {
  const now = fstatSync(fd, { bigint: true });
  const same =
    now.isFile() &&
    now.dev === state.dev &&
    now.ino === state.ino &&
    now.size === state.size &&
    now.mtimeNs === state.mtimeNs &&
    now.ctimeNs === state.ctimeNs;
  if (!same) throw changed(path);
}

function changed(path: string): GlacisError {
  return new GlacisError(
    'manifest/changed',
    `${path}: expected a file that stays as it is, got one that changed while it was read`,
  );
}
