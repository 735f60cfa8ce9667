import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BackupFile } from './backup-folder.ts';

const CHUNK = 1 << 20;

/**
 * Copies a plain file to a new one that its owner alone may read; on the disk when this resolves. Links are not followed. Of a file that is being written it copies what was
 * there when it began. Gives its length and digest.
 */
export async function copyFile(
  from: string,
  to: string,
  path: string,
  signal?: AbortSignal,
): Promise<BackupFile> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const source = await open(from, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const stat = await source.stat();
    if (!stat.isFile()) throw new Error(`${from}: expected a plain file`);
    const target = await open(to, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      const hash = createHash('sha256');
      const buffer = Buffer.alloc(Math.min(CHUNK, Math.max(1, stat.size)));
      let at = 0;
      while (at < stat.size) {
        signal?.throwIfAborted();
        const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, stat.size - at), at);
        if (bytesRead === 0) break;
        const part = buffer.subarray(0, bytesRead);
        for (let done = 0; done < bytesRead; )
          done += (await target.write(part, done, bytesRead - done, at + done)).bytesWritten;
        hash.update(part);
        at += bytesRead;
      }
      await target.sync();
      return { path, bytes: at, digest: hash.digest('hex') };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
