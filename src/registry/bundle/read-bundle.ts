import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { throwIfCancelled } from '../../core/cancel.ts';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { verified } from '../blob-store.ts';
import { type BundleIndex, INDEX_PATH, MOST_INDEX_BYTES, parseIndex } from './index-file.ts';
import { parseTarHeader, tarPadding } from './tar.ts';

const BLOCK = 512;
const CHUNK = 1 << 18;

/**
 * Unpacks the bundle at `path` into the new folder `out`. The archive must be exactly what its index says: the same plain files, in the same order,
 * with the same bytes, and nothing behind them. Whether to believe any of it is another question.
 * Errors: `bundle/invalid`, `output/unwritable`, `registry/damaged` for bytes that do not fit, `run/cancelled`; then `out` may hold a part.
 */
export async function unpackBundle(path: string, out: string, signal?: AbortSignal): Promise<BundleIndex> {
  const handle = await open(path).catch((thrown) => {
    throw asGlacisError(thrown, 'bundle/invalid', path);
  });
  try {
    let at = 0;
    const header = async () => {
      const block = await exactly(handle, at, BLOCK, path);
      at += BLOCK;
      return parseTarHeader(block, `${path} at ${at - BLOCK}`);
    };
    const skipPadding = async (size: number) => {
      const { length } = tarPadding(size);
      if ((await exactly(handle, at, length, path)).some((byte) => byte !== 0))
        throw new GlacisError('bundle/invalid', `${path}: expected zeros between the files`);
      at += length;
    };
    const first = await header();
    if (first?.path !== INDEX_PATH || first.size > MOST_INDEX_BYTES)
      throw new GlacisError(
        'bundle/invalid',
        `${path}: expected a bundle of Glacis, which begins with ${INDEX_PATH}`,
      );
    const index = parseIndex(await exactly(handle, at, first.size, path), path);
    at += first.size;
    await skipPadding(first.size);
    for (const file of index.files) {
      throwIfCancelled(signal, path);
      const found = await header();
      if (found?.path !== file.path || found.size !== file.size)
        throw new GlacisError(
          'bundle/invalid',
          `${path}: expected ${JSON.stringify(file.path)} with ${file.size} bytes next, got another file`,
        );
      await writeFile(
        join(out, ...file.path.split('/')),
        verified(file, range(handle, at, file.size, path), file.path, signal),
      );
      at += file.size;
      await skipPadding(file.size);
    }
    const rest = await exactly(handle, at, 2 * BLOCK, path);
    const { size } = await handle.stat();
    if (rest.some((byte) => byte !== 0) || size !== at + 2 * BLOCK)
      throw new GlacisError(
        'bundle/invalid',
        `${path}: expected the end after ${index.files.length} files, got more`,
      );
    return index;
  } finally {
    await handle.close();
  }
}

async function writeFile(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  let handle: FileHandle;
  try {
    await mkdir(dirname(path), { recursive: true });
    handle = await open(path, 'wx', 0o644);
  } catch (thrown) {
    throw asGlacisError(thrown, 'output/unwritable', path);
  }
  try {
    for await (const chunk of bytes)
      for (let done = 0; done < chunk.length; )
        done += (await handle.write(chunk, done, chunk.length - done)).bytesWritten;
  } finally {
    await handle.close();
  }
}

async function exactly(handle: FileHandle, at: number, length: number, where: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of range(handle, at, length, where)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* range(
  handle: FileHandle,
  start: number,
  length: number,
  where: string,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < length; ) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, length - done));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start + done);
    if (bytesRead === 0) throw new GlacisError('bundle/invalid', `${where}: it ends too early`);
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
