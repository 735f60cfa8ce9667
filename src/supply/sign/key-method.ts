import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Bundle, bundleOf } from './bundle.ts';
import { IN_TOTO } from './dsse.ts';
import { encodingThatFits, fingerprintOf, signWithEc } from './ec-key.ts';
import type { SignatureCheck, Signer } from './signer.ts';

/** Signs with a private key; the bundle names it by its fingerprint. */
export function keySigner(key: KeyObject): Signer {
  const hint = fingerprintOf(key);
  return {
    method: 'key',
    who: `key ${hint}`,
    sign: async (payload) => bundleOf(payload, signWithEc(key, IN_TOTO, payload), { publicKey: { hint } }),
  };
}

/**
 * Whether the bundle was signed with the private part of `key`. A key that the bundle brings along is compared and never used; where it
 * names another key, that is said in place of a signature that does not fit.
 */
export function checkKeySignature({ material, envelope }: Bundle, key: KeyObject): SignatureCheck {
  if (material.method !== 'key')
    return { fits: false, reason: `it was signed with a ${material.method}, not with a key` };
  const keyFingerprint = fingerprintOf(key);
  const named = material.hint ?? hintOf(material.publicKey);
  if (named !== undefined && named.toLowerCase() !== keyFingerprint)
    return { fits: false, reason: `it names another key, ${named.slice(0, 80)}, and not ${keyFingerprint}` };
  const encoding = encodingThatFits(key, envelope);
  if (encoding === undefined)
    return { fits: false, reason: 'the signature does not fit the statement under this key' };
  const warnings = [
    ...(encoding === 'legacy' ? [LEGACY_WARNING] : []),
    ...(named === undefined ? ['the signature does not name its key, as in versions before 1.1.0'] : []),
  ];
  return { fits: true, by: { method: 'key', keyFingerprint }, warnings };
}

/** Said of signatures in the encoding of version 0.2.0. */
export const LEGACY_WARNING =
  'the signature has the format of version 0.2.0, which says nothing about links; sign again';

function hintOf(pem: Uint8Array | undefined): string | undefined {
  if (pem === undefined) return undefined;
  try {
    return fingerprintOf(createPublicKey(Buffer.from(pem)));
  } catch {
    return 'of a kind that cannot be read';
  }
}
