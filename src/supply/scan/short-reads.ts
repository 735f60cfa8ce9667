import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { asGlacisError } from '../../core/error.ts';
import { type ByteSource, fileSource } from '../../data/byte-source.ts';

/** Bytes up to which a read is done here: handing it to another thread takes longer. */
const SHORT = 128 << 10;
/** Of so many reads in a row one is handed over, so that the loop gets round to cancellation and messages. */
const TURN = 32;

/**
 * An open file as {@link fileSource} gives it, with short reads done on the spot. Recognising formats takes dozens of them a file, and most of the time of a
 * scan of files without pickles was waiting for their turn. On a medium that does not answer, the thread waits with it. Closing the source closes the file.
 */
export function shortReadSource(handle: FileHandle, size: number, path: string): ByteSource {
  const source = fileSource(handle, size, path);
  let turn = 0;
  const isShort = (offset: number, length: number) =>
    offset >= 0 && length > 0 && length <= SHORT && offset + length <= size && ++turn % TURN !== 0;
  /** Whether all of it came; whatever is odd about it, the other way finds out. */
  const readHere = (offset: number, target: Uint8Array) => {
    try {
      return readSync(handle.fd, target, 0, target.length, offset) === target.length;
    } catch (thrown) {
      throw asGlacisError(thrown, 'data/unreadable', path);
    }
  };
  return {
    ...source,
    async read(offset, length) {
      if (!isShort(offset, length)) return source.read(offset, length);
      const bytes = new Uint8Array(length);
      return readHere(offset, bytes) ? bytes : source.read(offset, length);
    },
    async readInto(offset, target) {
      if (isShort(offset, target.length) && readHere(offset, target)) return;
      await source.readInto!(offset, target);
    },
  };
}
