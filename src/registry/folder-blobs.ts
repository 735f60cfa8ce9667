import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { throwIfCancelled } from '../core/cancel.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { openBelow } from '../core/open-below.ts';
import { syncFolder } from '../ledger/journal-store.ts';
import { type Blob, type BlobStore, blobOf, once } from './blob-store.ts';

const CHUNK = 1 << 18;

/**
 * Blobs in a folder, as an OCI image layout has them: `blobs/sha256/<digest>`. A blob gets its name when all its bytes are on the disk and
 * fit the digest; what a killed push leaves is in `.incoming` and is never looked at.
 * Links, pipes and devices in the folder are not read.
 */
export function folderBlobs(folder: string): BlobStore {
  const location = ({ digest }: Blob) => `blobs/sha256/${digest.slice('sha256:'.length)}`;
  const put: BlobStore['put'] = async (blob, bytes, signal) => {
    const target = join(folder, location(blob));
    const incoming = join(folder, '.incoming', randomBytes(9).toString('hex'));
    try {
      await makeDurable(dirname(target));
      await mkdir(dirname(incoming), { recursive: true });
      const handle = await open(incoming, 'wx', 0o644);
      try {
        for await (const chunk of bytes()) {
          throwIfCancelled(signal, folder);
          for (let done = 0; done < chunk.length; )
            done += (await handle.write(chunk, done, chunk.length - done)).bytesWritten;
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(incoming, target);
      await syncFolder(dirname(target));
    } catch (thrown) {
      await rm(incoming, { force: true });
      throw asGlacisError(thrown, 'registry/storage', folder);
    }
  };
  const get: BlobStore['get'] = async function* (blob) {
    const handle = await openBelow(
      folder,
      location(blob),
      (reason) =>
        new GlacisError(
          'registry/damaged',
          `${folder}: expected a plain file for ${blob.digest}, but ${reason}`,
        ),
    );
    try {
      for (let at = 0; ; ) {
        const buffer = Buffer.allocUnsafe(CHUNK);
        const { bytesRead } = await handle.read(buffer, 0, CHUNK, at);
        if (bytesRead === 0) return;
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  };
  return {
    where: folder,
    async has(blob) {
      const found = await lstat(join(folder, location(blob))).catch(() => undefined);
      return found?.isFile() === true && found.size === blob.size;
    },
    put,
    get,
    putManifest: (bytes, _tag, signal) => put(blobOf(bytes), () => once(bytes), signal),
    getManifest: get,
  };
}

/** The digest and size of a file, read in pieces. */
export async function blobOfFile(handle: FileHandle): Promise<Blob> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of fileChunks(handle)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/** The bytes of an open file from its beginning. */
export async function* fileChunks(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; ) {
    const buffer = Buffer.allocUnsafe(CHUNK);
    const { bytesRead } = await handle.read(buffer, 0, CHUNK, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Makes folders and flushes those whose list of names changed. */
async function makeDurable(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  for (let at = path; first !== undefined && at.length >= first.length; at = dirname(at))
    await syncFolder(dirname(at));
}
