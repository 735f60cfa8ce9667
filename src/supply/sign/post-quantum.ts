import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import { type Bundle, bundleOf } from './bundle.ts';
import { IN_TOTO, preAuthEncoding } from './dsse.ts';
import { fingerprintOf } from './ec-key.ts';
import type { SignatureCheck } from './signer.ts';

/** Node's name of the one post-quantum signature that is taken: ML-DSA-65 (FIPS 204, category 3), in its pure form without context. */
const ML_DSA = 'ml-dsa-65';

/** Reads an ML-DSA-65 key in PEM, private or public. Errors: `key/unusable`. */
export function postQuantumKeyFrom(
  pem: Uint8Array,
  kind: 'private' | 'public',
  where: string,
  password?: string,
): KeyObject {
  const text = Buffer.from(pem);
  if (kind === 'public' && /PRIVATE KEY/.test(text.toString('latin1')))
    throw new GlacisError(
      'key/unusable',
      `${where}: expected a public key, got a private one; keep it to yourself`,
    );
  let key: KeyObject;
  try {
    key =
      kind === 'public'
        ? createPublicKey(text)
        : createPrivateKey({ key: text, ...(password === undefined ? {} : { passphrase: password }) });
  } catch (cause) {
    throw new GlacisError(
      'key/unusable',
      `${where}: expected a ${kind} ML-DSA-65 key in PEM, got something else`,
      {
        cause,
      },
    );
  }
  if (key.asymmetricKeyType !== (ML_DSA as string))
    throw new GlacisError(
      'key/unusable',
      `${where}: expected an ML-DSA-65 key, got ${key.asymmetricKeyType}`,
    );
  return key;
}

/**
 * A second bundle over the same statement, signed with ML-DSA-65. It lies in a file of its own, because published tools look at one
 * signature of one kind; they go on verifying the first file.
 */
export function signPostQuantum(key: KeyObject, payload: Uint8Array): object {
  const signature = sign(null, preAuthEncoding(IN_TOTO, payload), key);
  return bundleOf(payload, signature, { publicKey: { hint: fingerprintOf(key) } });
}

/** What is expected of the second signature. */
export interface PostQuantumTrust {
  readonly key: KeyObject;
  /** The second bundle; absent where there is no file. */
  readonly bundle: Bundle | undefined;
  /** Whether the model is refused without it; otherwise there is a warning. One that does not fit is refused in any case. */
  readonly required: boolean;
}

/** `check` and the second signature together: both must fit, over the same bytes. */
export function checkBoth(
  check: (bundle: Bundle) => SignatureCheck | Promise<SignatureCheck>,
  { key, bundle: second, required }: PostQuantumTrust,
): (bundle: Bundle) => Promise<SignatureCheck> {
  return async (bundle) => {
    const first = await check(bundle);
    if (!first.fits) return first;
    if (second === undefined)
      return required
        ? { fits: false, reason: 'there is no post-quantum signature' }
        : { ...first, warnings: [...first.warnings, 'there is no post-quantum signature'] };
    const { material, envelope } = second;
    const hint = fingerprintOf(key);
    if (material.method !== 'key')
      return { fits: false, reason: 'the post-quantum signature was not made with a key' };
    if (material.hint !== undefined && material.hint !== hint)
      return { fits: false, reason: `the post-quantum signature names another key than ${hint}` };
    if (!Buffer.from(envelope.payload).equals(bundle.envelope.payload))
      return { fits: false, reason: 'the post-quantum signature is over another statement' };
    if (!verify(null, preAuthEncoding(IN_TOTO, envelope.payload), key, envelope.signatures[0]!))
      return { fits: false, reason: 'the post-quantum signature does not fit the statement under this key' };
    return { ...first, by: { ...first.by, postQuantumFingerprint: hint } };
  };
}
