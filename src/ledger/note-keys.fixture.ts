import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { type NoteSigner, noteSigner } from './note-key.ts';

/** An Ed25519 signer that is the same in every run: its seed is 32 times `byte`. */
export function fixedSigner(name: string, byte = 1): NoteSigner {
  return noteSigner(name, 'ed25519', fixedKey(byte));
}

/** The private key with the seed of 32 times `byte`. */
export function fixedKey(byte: number) {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

/** A fresh ML-DSA-44 signer. */
export function quantumSafeSigner(name: string): NoteSigner {
  return noteSigner(name, 'ml-dsa-44-cosignature', generateKeyPairSync('ml-dsa-44').privateKey);
}
