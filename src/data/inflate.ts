import { createGunzip, createInflateRaw } from 'node:zlib';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { type ByteSource, chunksOf } from './byte-source.ts';

/** Deflate cannot pack more than 1032 bytes into one, so a larger claim is false before anything is inflated. */
const MAX_RATIO = 1032;

/** What bounds an inflation. */
export interface InflateLimits {
  /** `raw` deflate (a zip member) or a `gzip` file. */
  readonly format: 'raw' | 'gzip';
  /** Most bytes that may come out. */
  readonly maxBytes: number;
  /**
   * The exact size that the content declares, asked with the first bytes (at least `headBytes`, or all there are).
   * More or fewer bytes are an error; a claim over `maxBytes` is refused before it is inflated.
   */
  readonly declaredSize: (head: Uint8Array) => number;
  readonly headBytes: number;
}

/**
 * Inflates `source` into memory as a stream, never holding more than what the content declares.
 * The buffer grows with what really comes out, so a small file cannot claim a large one.
 * Errors: `data/unreadable` (damaged, or of another size than declared), `data/too-large`, `run/cancelled`.
 */
export async function inflate(
  source: ByteSource,
  limits: InflateLimits,
  where: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { format, maxBytes, headBytes, declaredSize } = limits;
  const stream = format === 'raw' ? createInflateRaw() : createGunzip();
  let out = new Uint8Array(Math.min(maxBytes + 1, Math.max(headBytes, 4 * source.size, 1 << 16)));
  let length = 0;
  let declared: number | undefined;
  const declare = () => {
    declared = declaredSize(out.subarray(0, length));
    if (declared > maxBytes) {
      throw new GlacisError(
        'data/too-large',
        `${where}: expected at most ${maxBytes} bytes after inflating, got ${declared}`,
      );
    }
    if (declared > MAX_RATIO * source.size + 1024) {
      throw new GlacisError(
        'data/unreadable',
        `${where}: ${source.size} compressed bytes cannot hold the declared ${declared}`,
      );
    }
    if (out.length < declared) out = grown(out, length, declared);
  };
  const feed = async () => {
    try {
      for await (const chunk of chunksOf(source, signal)) {
        if (stream.destroyed) return;
        if (!stream.write(chunk))
          await new Promise<void>((resolve) => onceAny(stream, ['drain', 'close', 'error'], resolve));
      }
      stream.end();
    } catch (error) {
      stream.destroy(error as Error);
    }
  };
  const feeding = feed();
  try {
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      if (length + piece.length > (declared ?? maxBytes)) {
        throw new GlacisError(
          'data/unreadable',
          `${where}: expected ${declared ?? maxBytes} bytes after inflating, got more`,
        );
      }
      if (length + piece.length > out.length)
        out = grown(out, length, Math.min(maxBytes, 2 * (length + piece.length)));
      out.set(piece, length);
      length += piece.length;
      if (declared === undefined && length >= headBytes) declare();
    }
    if (declared === undefined) declare();
    if (length !== declared) {
      throw new GlacisError(
        'data/unreadable',
        `${where}: expected ${declared} bytes after inflating, got ${length}`,
      );
    }
    return out.subarray(0, length);
  } catch (error) {
    throw asGlacisError(error, 'data/unreadable', `${where}: the compressed data is damaged`);
  } finally {
    stream.destroy();
    await feeding;
  }
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number, capacity: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(capacity);
  larger.set(bytes.subarray(0, length));
  return larger;
}

function onceAny(stream: NodeJS.EventEmitter, names: readonly string[], run: () => void): void {
  const done = () => {
    for (const name of names) stream.off(name, done);
    run();
  };
  for (const name of names) stream.on(name, done);
}
