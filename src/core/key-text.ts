import { crc32 } from 'node:zlib';

/** What every API key of Glacis begins with. */
export const KEY_PREFIX = 'glacis_';

/** Letters of the three parts after the prefix. 62⁴³ > 2²⁵⁶: the secret carries 256 bits. */
export const KEY_PARTS = { id: 11, secret: 43, checksum: 6 } as const;

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FORM = new RegExp(
  `^${KEY_PREFIX}([0-9A-Za-z]{${KEY_PARTS.id}})_([0-9A-Za-z]{${KEY_PARTS.secret}})([0-9A-Za-z]{${KEY_PARTS.checksum}})$`,
);

/**
 * An API key as text: `glacis_<id>_<secret><checksum>`, 68 letters and digits that a double click selects. The checksum (CRC-32 of all before it,
 * base 62) proves nothing; it lets scanners of secrets tell a key from any other word, and a server refuse a mistyped one at once.
 *
 * @param id 11 letters and digits
 * @param secret 43 letters and digits
 */
export function keyText(id: string, secret: string): string {
  const body = `${KEY_PREFIX}${id}_${secret}`;
  return body + checksumOf(body);
}

/** The parts of a key; undefined for any other text, a key with a wrong checksum included. */
export function keyParts(text: string): { readonly id: string; readonly secret: string } | undefined {
  const [, id, secret, checksum] = FORM.exec(text) ?? [];
  if (id === undefined || secret === undefined) return undefined;
  return checksumOf(text.slice(0, -KEY_PARTS.checksum)) === checksum ? { id, secret } : undefined;
}

/** Where the id of a key stands, in any text: for looking up what {@link keyParts} or a comparison of the whole confirms. */
export function idOf(text: string): string {
  return text.slice(KEY_PREFIX.length, KEY_PREFIX.length + KEY_PARTS.id);
}

/** Bytes as exactly `length` letters and digits, which must be enough for them. */
export function base62(bytes: Uint8Array, length: number): string {
  let rest = BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
  let text = '';
  for (let i = 0; i < length; i++) {
    text = DIGITS[Number(rest % 62n)]! + text;
    rest /= 62n;
  }
  return text;
}

function checksumOf(body: string): string {
  let text = '';
  for (let [i, rest] = [0, crc32(body)]; i < KEY_PARTS.checksum; i++, rest = Math.floor(rest / 62))
    text = DIGITS[rest % 62]! + text;
  return text;
}
