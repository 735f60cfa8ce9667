import { fault, type Source } from './fault.ts';
import { endOfText } from './json-outline.ts';

const [QUOTE, LIST, LIST_END, OBJECT, OBJECT_END] = [0x22, 0x5b, 0x5d, 0x7b, 0x7d];

/**
 * How many bytes the JSON object takes that `body` begins with, blanks before it included: what
 * the header `inference-header-content-length` says, for messages that were kept without their headers. Only brackets and texts are looked at: whether
 * what they hold is JSON is for the parser to say. Attacker-controlled; one pass, nothing is allocated. Errors: the source's, where a body
 * does not begin with an object, or the object does not end.
 */
export function jsonPrefix(body: Uint8Array, source: Source): number {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  let at = 0;
  while (isBlank(bytes[at])) at++;
  if (bytes[at] !== OBJECT)
    throw fault(source, '', 'a JSON object', 'a body that begins with something else');
  let depth = 0;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) at = endOfText(bytes, at);
    else if (byte === OBJECT || byte === LIST) depth++;
    else if ((byte === OBJECT_END || byte === LIST_END) && --depth === 0) return at + 1;
  }
  throw fault(source, '', 'a JSON object', 'one without an end');
}

/** Whether a byte is one of JSON's blanks: space, tab, line feed, carriage return. */
export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
