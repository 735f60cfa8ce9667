import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import { legacyPreAuthEncoding, preAuthEncoding } from './dsse.ts';

/** The hash that goes with each curve (OMS v1.0, algorithm registry), by OpenSSL's name of the curve. */
const HASHES: Readonly<Record<string, string>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/**
 * The private key in a PEM file. `password` is only for an encrypted one. Errors: `key/unusable` for anything but an EC key on P-256, P-384
 * or P-521.
 */
export function privateKeyFrom(pem: Uint8Array, where: string, password?: string): KeyObject {
  try {
    return requireCurve(
      createPrivateKey({
        key: Buffer.from(pem),
        ...(password === undefined ? {} : { passphrase: password }),
      }),
      where,
    );
  } catch (thrown) {
    if (thrown instanceof GlacisError) throw thrown;
    const text = Buffer.from(pem).toString('latin1');
    const got = /BEGIN PUBLIC KEY/.test(text)
      ? 'a public key'
      : /ENCRYPTED/.test(text)
        ? password === undefined
          ? 'an encrypted one without a password (GLACIS_KEY_PASSWORD)'
          : 'an encrypted one that this password does not open'
        : 'something else';
    throw new GlacisError('key/unusable', `${where}: expected a private key in PEM, got ${got}`, {
      cause: thrown,
    });
  }
}

/** The public key in a PEM file. Errors: `key/unusable` for anything else, a private key included. */
export function publicKeyFrom(pem: Uint8Array, where: string): KeyObject {
  const text = Buffer.from(pem).toString('latin1');
  if (/PRIVATE KEY/.test(text))
    throw new GlacisError(
      'key/unusable',
      `${where}: expected a public key, got a private one; keep it to yourself`,
    );
  try {
    return requireCurve(createPublicKey(Buffer.from(pem)), where);
  } catch (thrown) {
    if (thrown instanceof GlacisError) throw thrown;
    throw new GlacisError('key/unusable', `${where}: expected a public key in PEM, got something else`, {
      cause: thrown,
    });
  }
}

/** `key`, when it is one that OMS takes. Errors: `key/unusable`. */
export function requireCurve(key: KeyObject, where: string): KeyObject {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve !== undefined && Object.hasOwn(HASHES, curve)) return key;
  throw new GlacisError(
    'key/unusable',
    `${where}: expected an EC key on P-256, P-384 or P-521, got ${key.asymmetricKeyType ?? 'another kind'}${curve ? ` on ${curve}` : ''}`,
  );
}

/** The hash that signatures with this key take, by Node's name. */
export function hashOf(key: KeyObject): string {
  return HASHES[key.asymmetricKeyDetails?.namedCurve ?? '']!;
}

/** How bundles name a key: hexadecimal SHA-256 of its public part in PEM, with header, footer and the last line's end. */
export function fingerprintOf(key: KeyObject): string {
  const known = FINGERPRINTS.get(key);
  if (known !== undefined) return known;
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const fingerprint = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'pem' }))
    .digest('hex');
  FINGERPRINTS.set(key, fingerprint);
  return fingerprint;
}

/** Writing a key out takes longer than verifying a signature with it, and each key is asked for often. */
const FINGERPRINTS = new WeakMap<KeyObject, string>();

/** Signs a payload of type `type` as DSSE does: ECDSA in DER with the curve's hash. Not deterministic: ECDSA draws a number. */
export function signWithEc(key: KeyObject, type: string, payload: Uint8Array): Uint8Array {
  return sign(hashOf(key), preAuthEncoding(type, payload), key);
}

/** How the bytes of a payload were encoded before they were signed. */
export type Encoding = 'standard' | 'legacy';

/**
 * Which encoding of the payload the signature fits under `key`, or `undefined` when it fits none. `legacy` is what version 0.2.0 of the
 * Python tool signed, with SHA-256 whatever the curve; it is only tried where the payload has that version's type.
 */
export function encodingThatFits(
  key: KeyObject,
  {
    payloadType,
    payload,
    signatures,
  }: { payloadType: string; payload: Uint8Array; signatures: readonly Uint8Array[] },
): Encoding | undefined {
  const signature = signatures[0]!;
  if (fits(hashOf(key), preAuthEncoding(payloadType, payload), key, signature)) return 'standard';
  const old = Buffer.from(payload).includes('https://model_signing/Digests/v0.1');
  return old && fits('sha256', legacyPreAuthEncoding(payloadType, payload), key, signature)
    ? 'legacy'
    : undefined;
}

function fits(hash: string, bytes: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  try {
    return verify(hash, bytes, key, signature);
  } catch {
    // A signature that is no DER at all.
    return false;
  }
}
