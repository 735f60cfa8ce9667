import { hash } from 'node:crypto';

const BLOCK = 64;

/**
 * HMAC-SHA-256 (RFC 2104), for short messages that come often: as two plain hashes, because `createHmac` makes a key object each time, which takes several times as
 * long. A test holds it against `createHmac`. The key may have any length.
 */
export function hmac(secret: Uint8Array, ...message: readonly (Uint8Array | string)[]): Buffer {
  const key = secret.length > BLOCK ? hash('sha256', secret, 'buffer') : secret;
  const parts = message.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  const inner = Buffer.alloc(BLOCK + parts.reduce((sum, part) => sum + part.length, 0), 0x36);
  const outer = Buffer.alloc(BLOCK + 32, 0x5c);
  for (let i = 0; i < key.length; i++) {
    inner[i]! ^= key[i]!;
    outer[i]! ^= key[i]!;
  }
  let at = BLOCK;
  for (const part of parts) {
    inner.set(part, at);
    at += part.length;
  }
  outer.set(hash('sha256', inner, 'buffer'), BLOCK);
  return hash('sha256', outer, 'buffer');
}
