import { hash } from 'node:crypto';
import { hmac } from '../../core/hmac.ts';

const SALT = 16;
/** Where a call is put together: one call that hashes costs less than one for each part. */
const ROOM = Buffer.alloc(64 << 10);

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
  const salt = hmac(salts, what, id);
  const length = SALT + 4 + parts.reduce((sum, part) => sum + 8 + part.length, 0);
  const whole = length <= ROOM.length ? ROOM.subarray(0, length) : Buffer.allocUnsafe(length);
  salt.copy(whole, 0, 0, SALT);
  whole.writeUInt32BE(parts.length, SALT);
  let at = SALT + 4;
  for (const part of parts) {
    whole.writeBigUInt64BE(BigInt(part.length), at);
    whole.set(part, at + 8);
    at += 8 + part.length;
  }
  return hash('sha256', whole, 'hex');
}
