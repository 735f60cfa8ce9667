import { GlacisError } from '../../core/error.ts';
import { bytesOf } from './bytes-of.ts';

/** Longest line, in bytes, unless a format has longer ones: what is longer is none of ours. */
const MOST = 2 ** 20;

/**
 * A text file (`.gz` is opened) as pieces of whole lines, each with its line feed, the last one included. Memory: one piece and one line. Errors: `data/unreadable`; `data/too-large` for a line of more than `most` bytes (1 MiB unless given), which is
 * how bombs and other files look.
 */
export async function* piecesOf(path: string, signal?: AbortSignal, most = MOST): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let held = 0;
  for await (const block of bytesOf(path, signal)) {
    const end = block.lastIndexOf(10);
    if (end >= 0) {
      yield Buffer.concat([...rest, block.subarray(0, end + 1)]);
      [rest, held] = [[], 0];
    }
    rest.push(block.subarray(end + 1));
    held += block.length - end - 1;
    if (held > most)
      throw new GlacisError(
        'data/too-large',
        `${path}: expected lines of at most ${most} bytes, got a longer one`,
      );
  }
  if (held > 0) yield Buffer.concat([...rest, LINE_FEED]);
}

const LINE_FEED = Buffer.from('\n');

/** The lines of such a file, some thousand at a time, without their ends. Errors: those of {@link piecesOf}. */
export async function* linesOf(
  path: string,
  signal?: AbortSignal,
  most = MOST,
): AsyncGenerator<readonly string[]> {
  for await (const piece of piecesOf(path, signal, most))
    yield piece.toString('utf8', 0, piece.length - 1).split('\n');
}
