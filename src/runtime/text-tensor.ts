import { isUtf8 } from 'node:buffer';
import { GlacisError } from '../core/error.ts';

/**
 * How text tensors travel between threads: one array of bytes that can be handed over, each element its length in UTF-8 (4 bytes, little-endian) and then
 * itself. It is the binary form of `BYTES` in the Open Inference Protocol. `where` begins the messages. Errors: `data/mismatch` for bytes that are not that, or not UTF-8.
 */
export function textsFrom(bytes: Uint8Array, count: number, where: string): string[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const length = at + 4 <= view.length ? view.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    const end = at + 4 + length;
    if (end > view.length) throw mismatch(where, `${count} texts`, `an end inside text ${i}`);
    const text = view.subarray(at + 4, end);
    // The runtime's texts end at a zero byte: what follows would be lost without a word.
    if (!isUtf8(text) || text.includes(0))
      throw mismatch(where, 'UTF-8 without zero bytes', 'something else');
    texts.push(text.toString('utf8'));
    at = end;
  }
  if (at !== view.length) throw mismatch(where, `${at} bytes of text`, `${view.length}`);
  return texts;
}

/** The bytes of texts, as {@link textsFrom} reads them. */
export function textBytes(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.from(new ArrayBuffer(lengths.reduce((sum, length) => sum + 4 + length, 0)));
  let at = 0;
  for (const [i, text] of texts.entries()) {
    bytes.writeUInt32LE(lengths[i]!, at);
    bytes.write(text, at + 4);
    at += 4 + lengths[i]!;
  }
  return new Uint8Array(bytes.buffer, 0, at);
}

function mismatch(where: string, expected: string, got: string): GlacisError {
  return new GlacisError('data/mismatch', `${where}: expected ${expected}, got ${got}`);
}
