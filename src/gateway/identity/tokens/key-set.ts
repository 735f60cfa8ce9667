import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { GlacisError } from '../../../core/error.ts';

/** Algorithms that a token may be signed with: asymmetric ones only, so that a public key can never be taken for a shared secret. */
export const TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

/** One of {@link TOKEN_ALGORITHMS}. */
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** A public key of an issuer. */
export interface IssuerKey {
  readonly kid: string | undefined;
  readonly key: KeyObject;
  readonly algorithms: readonly TokenAlgorithm[];
  /** SHA-256 of the key itself: a key that is listed again is the same one. */
  readonly print: string;
}

const MOST_KEYS = 64;
const CURVES: Readonly<Record<string, readonly TokenAlgorithm[]>> = {
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  Ed25519: ['EdDSA', 'Ed25519'],
};
const RSA: readonly TokenAlgorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const LEAST_RSA_BITS = 2048;
const MOST_RSA_BITS = 8192;

/**
 * The signing keys of a JWK set (RFC 7517, section 5). Keys of other uses and kinds are passed over, as the RFC has it; symmetric and private ones as well, and RSA keys below 2048
 * bits (RFC 7518, section 3.3) or so large that checking a signature takes long.
 * Errors: `endpoint/bad-answer` for something else, and for a set without a usable key.
 */
export function readKeySet(document: unknown, where: string): readonly IssuerKey[] {
  const list = (document as { readonly keys?: unknown } | null)?.keys;
  if (!Array.isArray(list) || list.length > MOST_KEYS)
    throw new GlacisError(
      'endpoint/bad-answer',
      `${where}: expected a set of at most ${MOST_KEYS} keys, got something else`,
    );
  const keys = list.flatMap((each) => readKey(each) ?? []);
  if (keys.length === 0)
    throw new GlacisError('endpoint/bad-answer', `${where}: expected a key that signs tokens, got none`);
  return keys;
}

function readKey(given: unknown): IssuerKey | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const { kid, kty, use, key_ops, alg, crv, d, k } = given as Readonly<Record<string, unknown>>;
  if (d !== undefined || k !== undefined) return undefined;
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > 256)) return undefined;
  if (use !== undefined && use !== 'sig') return undefined;
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes('verify'))) return undefined;
  const possible =
    kty === 'RSA' ? RSA : typeof crv === 'string' && Object.hasOwn(CURVES, crv) ? CURVES[crv]! : [];
  const algorithms = alg === undefined ? possible : possible.filter((each) => each === alg);
  if (algorithms.length === 0) return undefined;
  try {
    const key = createPublicKey({ key: given as JsonWebKey, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength;
    if (bits !== undefined && (bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS)) return undefined;
    const print = createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
    return { kid, key, algorithms, print: `${print} ${algorithms.join(' ')}` };
  } catch {
    return undefined;
  }
}
