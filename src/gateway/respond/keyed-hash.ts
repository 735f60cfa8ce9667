import { hash } from 'node:crypto';

/** HMAC-SHA256 under a fixed key. Two one-shot hashes, because a new `createHmac` for each sample takes seven times as long. */
export type KeyedHash = (message: Uint8Array) => Buffer;

const BLOCK = 64;

/**
 * HMAC-SHA256 (RFC 2104) with the key HMAC(secret, purpose), so that one secret serves several purposes that say nothing of each other.
 * `secret` and `purpose` may have any length.
 */
export function keyedHash(secret: Uint8Array, purpose: string): KeyedHash {
  return hmac(hmac(secret)(Buffer.from(purpose)));
}

function hmac(secret: Uint8Array): KeyedHash {
  const key = secret.length > BLOCK ? hash('sha256', secret, 'buffer') : Buffer.from(secret);
  const padded = Buffer.alloc(BLOCK);
  key.copy(padded);
  const inner = Buffer.from(padded.map((byte) => byte ^ 0x36));
  const outer = Buffer.from(padded.map((byte) => byte ^ 0x5c));
  return (message) =>
    hash(
      'sha256',
      Buffer.concat([outer, hash('sha256', Buffer.concat([inner, message]), 'buffer')]),
      'buffer',
    );
}
