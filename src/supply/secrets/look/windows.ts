import { throwIfCancelled } from '../../../core/cancel.ts';
import type { ByteSource } from '../../../data/byte-source.ts';
import { OVERLAP } from '../match.ts';
import type { TextPiece } from './piece.ts';

const WINDOW = 1 << 20;

/**
 * The bytes `[start, end)` of a source as Latin-1 text, in windows that overlap by what a rule can see, so that memory does
 * not grow with the file or its longest line. Latin-1 keeps every byte one character; tokens are ASCII in every encoding that
 * extends it, UTF-8 above all.
 */
export async function* windowsOf(
  source: ByteSource,
  piece: Omit<TextPiece, 'text' | 'from' | 'to'>,
  { start = 0, end = source.size }: { readonly start?: number; readonly end?: number } = {},
  signal?: AbortSignal,
): AsyncGenerator<TextPiece> {
  let lines = piece.line;
  for (let at = start; at < end; at += WINDOW) {
    throwIfCancelled(signal, 'secrets');
    const first = Math.max(start, at - OVERLAP.before);
    const last = Math.min(end, at + WINDOW + OVERLAP.after);
    const bytes = await source.read(first, last - first);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const [from, to] = [at - first, Math.min(end, at + WINDOW) - first];
    const before = lines === undefined ? 0 : newlines(bytes, 0, from);
    yield { ...piece, text, from, to, ...(lines === undefined ? {} : { line: lines - before }) };
    if (lines !== undefined) lines += newlines(bytes, from, to);
  }
}

function newlines(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let i = bytes.indexOf(10, from); i !== -1 && i < to; i = bytes.indexOf(10, i + 1)) count++;
  return count;
}
