import { PickleError } from './pickle-error.ts';
import { type Bytes, FLOAT, HUGE_INT, type LongText, SHORT, type Value } from './value.ts';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
/** Each byte is a character; `TextDecoder('latin1')` is windows-1252 instead. */
const latin1 = {
  decode: (bytes: Uint8Array) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'),
};

/**
 * The value of an argument that is counted: a number, a text or bytes, of which `content` is what the window shows.
 *
 * @param length bytes of the whole argument
 * @param offset the byte of the stream that it begins at
 */
export function countedValue(name: string, content: Uint8Array, length: number, offset: number): Value {
  switch (name) {
    case 'LONG1':
    case 'LONG4':
      return longOf(content, length);
    case 'BINUNICODE':
    case 'SHORT_BINUNICODE':
    case 'BINUNICODE8':
      return length > SHORT ? longText(offset, length, 'utf-8') : utf8.decode(content);
    case 'BINSTRING':
    case 'SHORT_BINSTRING':
      return length > SHORT ? longText(offset, length, 'latin1') : latin1.decode(content);
    default: {
      const bytes: Bytes = { kind: 'bytes', offset, length, head: latin1.decode(content.subarray(0, 16)) };
      return bytes;
    }
  }
}

function longText(offset: number, length: number, encoding: LongText['encoding']): LongText {
  return { kind: 'long text', offset, length, encoding };
}

/** A two's-complement integer, little-endian. */
function longOf(content: Uint8Array, length: number): Value {
  if (length > 16) return HUGE_INT;
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(content[i]!);
  if (length > 0 && content[length - 1]! >= 0x80) value -= 1n << BigInt(8 * length);
  return narrowed(value);
}

function narrowed(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
}

/** The value of an argument that is a line; `offset` is the byte of the stream that it begins at. Errors: {@link PickleError}. */
export function lineValue(name: string, line: Uint8Array, offset: number): Value {
  switch (name) {
    case 'INT':
    case 'LONG': {
      const text = latin1.decode(line.subarray(0, 64)).trim();
      if (name === 'INT' && (text === '00' || text === '01')) return text === '01';
      const digits = /^([+-]?)(0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*)L?$/.exec(text);
      if (!digits) throw new PickleError(`${name} with no number`);
      if (line.length > 40) return HUGE_INT;
      const value = BigInt(digits[2]!.replaceAll('_', ''));
      return narrowed(digits[1] === '-' ? -value : value);
    }
    case 'FLOAT':
      return FLOAT;
    case 'GET':
    case 'PUT': {
      const text = latin1.decode(line.subarray(0, 32)).trim();
      if (!/^\+?\d[\d_]{0,14}$/.test(text)) throw new PickleError(`${name} with no index`);
      return Number(text.replaceAll('_', ''));
    }
    case 'STRING':
      if (line.length > SHORT) return longText(offset, line.length, 'latin1');
      return quotedText(latin1.decode(line));
    case 'UNICODE':
      return line.length > SHORT ? longText(offset, line.length, 'latin1') : rawUnicode(latin1.decode(line));
    default:
      // PERSID. CPython takes ASCII only, which is how the `PK` of a zip archive is no pickle.
      if (line.some((byte) => byte >= 0x80)) throw new PickleError('a persistent id that is no ASCII');
      return textOf(line);
  }
}

/** The text of a line; a long one keeps only its beginning, which makes it no known name. */
export function textOf(line: Uint8Array): string {
  return utf8.decode(line.length > SHORT ? line.subarray(0, SHORT) : line);
}

/** `'…'` or `"…"` with Python's escapes. */
function quotedText(text: string): Value {
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote)
    throw new PickleError('STRING without quotes around it');
  return text.slice(1, -1).replace(ESCAPE, (whole, octal: string, hex: string, one: string) => {
    if (octal) return String.fromCharCode(Number.parseInt(octal, 8) & 255);
    if (hex) return String.fromCharCode(Number.parseInt(hex, 16));
    return one in SINGLE ? SINGLE[one]! : whole;
  });
}

const ESCAPE = /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|([\s\S]))/g;
const SINGLE: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\n': '',
};

/** Python's raw-unicode-escape: `\uXXXX` and `\UXXXXXXXX` after an odd number of backslashes. */
function rawUnicode(text: string): string {
  return text.replace(/(\\+)(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/g, (whole, slashes: string, code: string) => {
    if (slashes.length % 2 === 0) return whole;
    const point = Number.parseInt(code.slice(1), 16);
    return slashes.slice(1) + (point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd');
  });
}
