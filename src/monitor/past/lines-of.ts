import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { asGlacisError, GlacisError } from '../../core/error.ts';

/** Longest line, in bytes: what is longer is none of ours. */
const MOST = 2 ** 20;

/**
 * A text file (`.gz` is opened) as pieces of whole lines, each with its line feed, the last one included. Memory: one piece and one line. Errors: `data/unreadable`; `data/too-large` for a line of more than {@link MOST} bytes, which is
 * how bombs and other files look.
 */
export async function* piecesOf(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: 2 ** 20, signal });
  const stream = path.endsWith('.gz') ? file.pipe(createGunzip({ chunkSize: 2 ** 20 })) : file;
  file.on('error', (thrown) => stream.destroy(thrown));
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const block of stream as AsyncIterable<Buffer>) {
      const all = rest.length === 0 ? block : Buffer.concat([rest, block]);
      const end = all.lastIndexOf(10);
      rest = all.subarray(end + 1);
      if (rest.length > MOST)
        throw new GlacisError(
          'data/too-large',
          `${path}: expected lines of at most ${MOST} bytes, got a longer one`,
        );
      if (end >= 0) yield all.subarray(0, end + 1);
    }
  } catch (thrown) {
    throw asGlacisError(thrown, 'data/unreadable', path);
  }
  if (rest.length > 0) yield Buffer.concat([rest, LINE_FEED]);
}

const LINE_FEED = Buffer.from('\n');

/** The lines of such a file, some thousand at a time, without their ends. Errors: those of {@link piecesOf}. */
export async function* linesOf(path: string, signal?: AbortSignal): AsyncGenerator<readonly string[]> {
  for await (const piece of piecesOf(path, signal))
    yield piece.toString('utf8', 0, piece.length - 1).split('\n');
}
