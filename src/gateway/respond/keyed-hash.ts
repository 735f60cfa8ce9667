import { hmac } from '../../core/hmac.ts';

/** HMAC-SHA-256 under a fixed key. */
export type KeyedHash = (message: Uint8Array) => Buffer;

/**
 * HMAC-SHA-256 with the key HMAC(secret, purpose), so that one secret serves several purposes that say nothing of each other.
 * `secret` and `purpose` may have any length.
 */
export function keyedHash(secret: Uint8Array, purpose: string): KeyedHash {
  const key = hmac(secret, purpose);
  return (message) => hmac(key, message);
}
