import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import { hmac } from '../../core/hmac.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts something of one decision with AES-256-GCM: a key for each decision, derived from the subject's and the decision's id, and a random nonce.
 * What it is, and of which decision, is bound, so that nothing passes for anything else.
 */
export function sealBytes(key: Uint8Array, id: Uint8Array, what: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyFor(key, id, what), nonce);
  cipher.setAAD(Buffer.from(what));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Opens it. `sealed` is attacker-controlled. Errors: `vault/unreadable`. */
export function openBytes(key: Uint8Array, id: Uint8Array, what: string, sealed: Uint8Array): Buffer {
  const end = sealed.length - TAG_BYTES;
  try {
    if (end < NONCE_BYTES) throw new Error('too short');
    const cipher = createDecipheriv('aes-256-gcm', keyFor(key, id, what), sealed.subarray(0, NONCE_BYTES));
    cipher.setAAD(Buffer.from(what));
    cipher.setAuthTag(sealed.subarray(end));
    return Buffer.concat([cipher.update(sealed.subarray(NONCE_BYTES, end)), cipher.final()]);
  } catch (cause) {
    throw new GlacisError(
      'vault/unreadable',
      `${what}: expected what was sealed for this decision and subject; it was changed, or the key is another`,
      { cause },
    );
  }
}

function keyFor(key: Uint8Array, id: Uint8Array, what: string): Buffer {
  return hmac(key, what, id);
}
