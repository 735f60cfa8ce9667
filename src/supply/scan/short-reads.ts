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
  return {
    ...source,
    async read(offset, length) {
      const end = offset + length;
      const fits = offset >= 0 && length > 0 && length <= SHORT && end <= size;
      if (!fits || ++turn % TURN === 0) return source.read(offset, length);
      const bytes = new Uint8Array(length);
      let got: number;
      try {
        got = readSync(handle.fd, bytes, 0, length, offset);
      } catch (thrown) {
        throw asGlacisError(thrown, 'data/unreadable', path);
      }
      // Whatever is odd about it, the other way finds out.
      return got === length ? bytes : source.read(offset, length);
    },
  };
}
