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

/** UTF-8 without control characters; a character may be cut at either end. */
function isText(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte === 0x7f || (byte < 0x20 && byte !== 0x1b && (byte < 9 || byte > 13))))
    return false;
  let start = 0;
  while (start < 3 && (bytes[start] ?? 0) >> 6 === 2) start++;
  const decoded = new TextDecoder().decode(bytes.subarray(start));
  const bad = decoded.indexOf('\ufffd');
  return bad < 0 || bad >= decoded.length - 1;
}
