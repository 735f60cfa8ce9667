import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { GlacisError } from '../core/error.ts';

/** The hash that goes with each kind of key; `null` where the algorithm hashes by itself. */
const HASHES: Readonly<Record<string, string | null>> = {
  'ec prime256v1': 'sha256',
  'ec secp384r1': 'sha384',
  'ec secp521r1': 'sha512',
  ed25519: null,
  'ml-dsa-65': null,
};

/**
 * The private keys in a PEM file, one or several: EC on P-256, P-384 or P-521, Ed25519, ML-DSA-65. `password` is for encrypted ones.
 * Errors: `key/unusable`.
 */
export function privateKeysIn(pem: Uint8Array, where: string, password?: string): readonly KeyObject[] {
  return blocksOf(pem, where).map((key) =>
    usable(where, () =>
      createPrivateKey({ key, ...(password === undefined ? {} : { passphrase: password }) }),
    ),
  );
}

/** The public keys in a PEM file of public or private keys. Errors: `key/unusable`. */
export function publicKeysIn(pem: Uint8Array, where: string, password?: string): readonly KeyObject[] {
  return blocksOf(pem, where).map((key) =>
    usable(where, () => {
      if (!/PRIVATE KEY/.test(key)) return createPublicKey(key);
      return createPublicKey(
        createPrivateKey({ key, ...(password === undefined ? {} : { passphrase: password }) }),
      );
    }),
  );
}

/** A public key as registry events hold it: its SubjectPublicKeyInfo in base64. */
export function publicKeyText(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
}

/** Reads what {@link publicKeyText} writes; attacker-controlled. Errors: `key/unusable`. */
export function publicKeyFromText(text: string, where: string): KeyObject {
  return usable(where, () =>
    createPublicKey({ key: Buffer.from(text, 'base64'), type: 'spki', format: 'der' }),
  );
}

/** Names a key: hexadecimal SHA-256 of its SubjectPublicKeyInfo in DER. */
export function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(Buffer.from(publicKeyText(key), 'base64'))
    .digest('hex');
}

/** What the key is, in words: `ec prime256v1`, `ed25519`, `ml-dsa-65`. */
export function kindOfKey(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return `${key.asymmetricKeyType ?? 'unknown'}${curve ? ` ${curve}` : ''}`;
}

/** Signs bytes with a private key of a kind that parties may have. */
export function signBytes(key: KeyObject, bytes: Uint8Array): Uint8Array {
  return sign(HASHES[kindOfKey(key)] ?? null, bytes, key);
}

/** Whether `signature` is the key's over `bytes`; both are attacker-controlled. */
export function verifyBytes(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(HASHES[kindOfKey(key)] ?? null, bytes, key, signature);
  } catch {
    // A signature that is no DER at all.
    return false;
  }
}

function blocksOf(pem: Uint8Array, where: string): readonly string[] {
  const text = Buffer.from(pem).toString('latin1');
  // `openssl ecparam -genkey` writes the curve's parameters in front of the key.
  const blocks = (text.match(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g) ?? []).filter((b) =>
    /(PRIVATE|PUBLIC) KEY-----/.test(b),
  );
  if (blocks.length === 0 || blocks.length > 4)
    throw new GlacisError(
      'key/unusable',
      `${where}: expected a PEM file with one to four keys, got ${blocks.length}`,
    );
  return blocks;
}

function usable(where: string, make: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = make();
  } catch (cause) {
    throw new GlacisError(
      'key/unusable',
      `${where}: expected a key that can be read (encrypted ones need GLACIS_KEY_PASSWORD)`,
      { cause },
    );
  }
  if (HASHES[kindOfKey(key)] === undefined)
    throw new GlacisError(
      'key/unusable',
      `${where}: expected a key of kind EC (P-256, P-384, P-521), Ed25519 or ML-DSA-65, got ${kindOfKey(key)}`,
    );
  return key;
}
