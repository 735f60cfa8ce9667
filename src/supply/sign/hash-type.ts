import { createHash } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';

/** Hash functions of OpenSSF Model Signing v1.0; `sha256` is the one that every verifier has. */
export const HASH_TYPES = ['sha256', 'blake2b', 'blake3'] as const;

/** One of {@link HASH_TYPES}. */
export type HashType = (typeof HASH_TYPES)[number];

/** Bytes of a digest; `blake2b` is BLAKE2b-512. */
export const DIGEST_BYTES: Readonly<Record<HashType, number>> = { sha256: 32, blake2b: 64, blake3: 32 };

/** A hash in progress. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** The digest in lowercase hexadecimal; the hasher is used up. */
  hex(): string;
}

/**
 * What makes hashers of `type`. SHA-256 and BLAKE2b come from Node (OpenSSL, with the processor's instructions), BLAKE3, which Node
 * does not have, from `hash-wasm`, loaded on use: it hashed ten times as fast as the one in plain JavaScript. Only one BLAKE3 hasher of a
 * maker may be in progress at a time.
 */
export async function hasherMaker(type: HashType): Promise<() => Hasher> {
  if (type === 'blake3') {
    const { createBLAKE3 } = await import('hash-wasm');
    const shared = await createBLAKE3();
    return () => {
      shared.init();
      return { update: (bytes) => void shared.update(bytes), hex: () => shared.digest('hex') };
    };
  }
  const name = type === 'sha256' ? 'sha256' : 'blake2b512';
  return () => {
    const hash = createHash(name);
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
  };
}

/**
 * The hash function that a manifest names. Accepted beside the names themselves: `blake2`, which the reference implementation's
 * verifier takes for `blake2b`. Errors: `statement/invalid` for any other.
 */
export function hashTypeFrom(name: string): HashType {
  const found = HASH_TYPES.find((type) => type === (name === 'blake2' ? 'blake2b' : name));
  if (found === undefined)
    throw new GlacisError(
      'statement/invalid',
      `signed statement: hash_type: expected ${HASH_TYPES.join(', ')}, got '${name}'`,
    );
  return found;
}
