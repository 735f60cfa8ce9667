import type { FileHandle } from 'node:fs/promises';

/** Writes all bytes from `at` on: one call of the system may write fewer. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, at = 0): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}
