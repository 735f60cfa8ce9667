import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { asGlacisError } from '../../core/error.ts';

const BLOCK = 2 ** 20;

/** The bytes of a file (`.gz` is opened), a mebibyte at a time. Errors: `data/unreadable`, also for a `.gz` that ends too early. */
export async function* bytesOf(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: BLOCK, signal });
  const stream = path.endsWith('.gz') ? file.pipe(createGunzip({ chunkSize: BLOCK })) : file;
  file.on('error', (thrown) => stream.destroy(thrown));
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (thrown) {
    throw asGlacisError(thrown, 'data/unreadable', path);
  }
}
