import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { GlacisError } from '../core/error.ts';
import { type NoteSigner, noteSigner } from '../ledger/note-key.ts';

/** New keys for a log, in PEM: Ed25519, which every verifier knows, and ML-DSA-44, which a quantum computer does not break. */
export function newLogKey(): string {
  const pem = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }) =>
    String(key.export({ type: 'pkcs8', format: 'pem' }));
  return pem(generateKeyPairSync('ed25519').privateKey) + pem(generateKeyPairSync('ml-dsa-44').privateKey);
}

/**
 * The signers of a log from the PEM file of its keys. Ed25519 signs twice, plainly for every verifier and with the time; ML-DSA-44 signs with
 * the time. Errors: `key/unusable`.
 */
export function logSigners(pem: Uint8Array, origin: string, where: string): readonly NoteSigner[] {
  const text = Buffer.from(pem).toString('latin1');
  const blocks = text.match(/-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g) ?? [];
  const signers = blocks.flatMap((block) => {
    try {
      const key = createPrivateKey(block);
      if (key.asymmetricKeyType === 'ml-dsa-44') return [noteSigner(origin, 'ml-dsa-44-cosignature', key)];
      if (key.asymmetricKeyType === 'ed25519')
        return [noteSigner(origin, 'ed25519', key), noteSigner(origin, 'ed25519-cosignature', key)];
    } catch (cause) {
      throw new GlacisError('key/unusable', `${where}: expected private keys in PEM that can be read`, {
        cause,
      });
    }
    throw new GlacisError(
      'key/unusable',
      `${where}: expected keys of kind Ed25519 or ML-DSA-44, got another`,
    );
  });
  if (!signers.some(({ algorithm }) => algorithm === 'ed25519'))
    throw new GlacisError('key/unusable', `${where}: expected the private Ed25519 key of the log, got none`);
  return signers;
}
