import { createHash } from 'node:crypto';
import { hmac } from '../../core/hmac.ts';

/**
 * A commitment to what a call was about: SHA-256 over a salt of 128 bits and the parts with their lengths. Without the salt it says nothing about
 * them, not even to somebody who can guess what they were. The salt of a decision follows from its id, which is 128 fresh random bits, and
 * from the key of its subject, which is kept apart: with the key the commitment can be opened, and where the key was erased, nobody can
 * ever show what it was to.
 */
export function commitment(
  salts: Uint8Array,
  id: Uint8Array,
  what: 'input' | 'output',
  parts: readonly Uint8Array[],
): string {
  const salt = hmac(salts, what, id).subarray(0, 16);
  const hash = createHash('sha256').update(salt);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(parts.length);
  hash.update(head.subarray(0, 4));
  for (const part of parts) {
    head.writeBigUInt64BE(BigInt(part.length));
    hash.update(head).update(part);
  }
  return hash.digest('hex');
}
