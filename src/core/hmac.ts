import { hash } from 'node:crypto';

const BLOCK = 64;
/** Where short messages are put together, again and again. */
const INNER = Buffer.alloc(BLOCK + 256);
const OUTER = Buffer.alloc(BLOCK + 32);

/**
 * HMAC-SHA-256 (RFC 2104), for short messages that come often: as two plain hashes, because `createHmac` makes a key object each time, which takes several times as
 * long. A test holds it against `createHmac`. The key may have any length.
 */
export function hmac(secret: Uint8Array, ...message: readonly (Uint8Array | string)[]): Buffer {
  const key = secret.length > BLOCK ? hash('sha256', secret, 'buffer') : secret;
  const parts = message.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  const length = BLOCK + parts.reduce((sum, part) => sum + part.length, 0);
  const inner = length <= INNER.length ? INNER.subarray(0, length) : Buffer.alloc(length);
  inner.fill(0x36, 0, BLOCK);
  OUTER.fill(0x5c, 0, BLOCK);
  for (let i = 0; i < key.length; i++) {
    inner[i]! ^= key[i]!;
    OUTER[i]! ^= key[i]!;
  }
  let at = BLOCK;
  for (const part of parts) {
    inner.set(part, at);
    at += part.length;
  }
  OUTER.set(hash('sha256', inner, 'buffer'), BLOCK);
  const code = hash('sha256', OUTER, 'buffer');
  // Nothing of the key stays behind.
  inner.fill(0);
  OUTER.fill(0);
  return code;
}
