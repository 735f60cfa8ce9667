import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { asGlacisError } from '../core/error.ts';

/** Adds bytes to the end of the file being written. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/**
 * Writes a file so that `path` holds either all of it or what was there before: the bytes go to a temporary file in the
 * same folder, are flushed to the disk, and the file is renamed. The temporary file is removed on every failure. `mode` are the
 * file's rights from its first byte on (what the process leaves others by default unless given).
 * Errors: `output/unwritable`; a GlacisError thrown by `fill` passes unchanged.
 */
export async function writeAtomically(
  path: string,
  fill: (write: WriteBytes) => Promise<void>,
  { mode = 0o666 }: { readonly mode?: number } = {},
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await fill(async (bytes) => {
        for (let done = 0; done < bytes.length; ) {
          const { bytesWritten } = await handle.write(bytes, done, Math.min(bytes.length - done, 1 << 26));
          done += bytesWritten;
        }
      });
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw asGlacisError(error, 'output/unwritable', path);
  }
}
