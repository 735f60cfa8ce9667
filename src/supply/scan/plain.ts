import type { Probe } from './scanner.ts';

/**
 * Beginnings of formats that hold no model and run nothing: pictures, tables and documents of a model's folder. `?` is any
 * byte.
 */
const HARMLESS: readonly string[] = [
  '\x89PNG\r\n\x1a\n',
  '\xff\xd8\xff',
  'GIF87a',
  'GIF89a',
  'RIFF????WEBP',
  'RIFF????WAVE',
  '%PDF-',
  'PAR1',
  'ARROW1',
  '\0\0\x08\x01\0', // IDX, as MNIST comes: bytes in one axis
  '\0\0\x08\x03\0', // and in three
];

/**
 * Whether a content that no scanner recognised is nothing to load: empty, text at both ends, or a picture, table or
 * document by its first bytes. A file that is one of these and a model as well was recognised as the model.
 */
export function isPlain({ head, tail }: Probe): boolean {
  return HARMLESS.some((beginning) => begins(head, beginning)) || (isText(head) && isText(tail));
}

function begins(bytes: Uint8Array, pattern: string): boolean {
  return [...pattern].every((c, i) => c === '?' || bytes[i] === c.charCodeAt(0));
}

function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => (byte >= 0x20 ? byte !== 0x7f : (byte >= 9 && byte <= 13) || byte === 0x1b));
}
