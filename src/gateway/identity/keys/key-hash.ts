import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** The name under which hashes of this kind are kept. */
export const KEY_HASH = 'hmac-sha256/1';

/** Hashes secrets of keys. */
export type KeyHash = (secret: string, bound: string) => Buffer;

/**
 * HMAC-SHA-256 under a key that is derived from the server's own secret (RFC 5869).
 *
 * A fast hash is right here: a slow one (Argon2) makes guessing expensive where people chose the password, but nobody guesses 256 random bits,
 * and a slow hash on every request would let anybody keep the server busy. It is keyed so that a copy of the database is no list of hashes to compare
 * leaked keys with, and so that who writes to the database cannot make a key.
 *
 * @param serverSecret at least 32 random bytes, kept apart from the database
 */
export function keyHash(serverSecret: Uint8Array): KeyHash {
  const key: KeyObject = createSecretKey(
    Buffer.from(hkdfSync('sha256', serverSecret, new Uint8Array(0), 'glacis api keys', 32)),
  );
  return (secret, bound) => createHmac('sha256', key).update(`${secret}\n${bound}`).digest();
}
