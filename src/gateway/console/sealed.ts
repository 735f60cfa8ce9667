import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Puts a small object into a text that only this gateway, and those that share its secret, can make or read. */
export interface Seal {
  seal(content: object): string;
  /** Undefined for anything that was not sealed here. */
  open(text: string): unknown;
}

const NONCE = 12;
const TAG = 16;
const MOST = 3000;

/** AES-256-GCM under a key derived from the secret for this purpose alone (RFC 5869). */
export function openSeal(secret: Uint8Array, purpose: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `glacis console ${purpose}`, 32));
  return {
    seal(content) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const sealed = Buffer.concat([cipher.update(JSON.stringify(content)), cipher.final()]);
      return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
    },
    open(text) {
      const bytes = Buffer.from(text.slice(0, MOST), 'base64url');
      if (bytes.length < NONCE + TAG) return undefined;
      try {
        const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), { authTagLength: TAG });
        cipher.setAuthTag(bytes.subarray(-TAG));
        const content = Buffer.concat([cipher.update(bytes.subarray(NONCE, -TAG)), cipher.final()]);
        return JSON.parse(content.toString());
      } catch {
        return undefined;
      }
    },
  };
}
