import { type KeyObject, sign, X509Certificate } from 'node:crypto';
import { GlacisError } from '../../../core/error.ts';
import { isObject } from '../json-fields.ts';
import type { IdentityToken } from './identity-token.ts';
import { askForObject } from './service-request.ts';

/** A key pair on P-256 that lives for one signature. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * The certificate that the authority gives the bearer of `token` for this key: shows the token, and that whoever shows it has the key. `token` is sent to
 * this authority alone. Source: `POST /api/v2/signingCert` of sigstore/fulcio. Errors: `signing/unavailable`, `run/cancelled`.
 */
export async function certificateFor(
  token: IdentityToken,
  { privateKey, publicKey }: KeyPair,
  fulcio: string,
  signal?: AbortSignal,
): Promise<X509Certificate> {
  const proof = sign('sha256', Buffer.from(token.subject), privateKey).toString('base64');
  const answer = await askForObject({
    what: 'a certificate of Fulcio',
    url: `${fulcio}/api/v2/signingCert`,
    json: {
      credentials: { oidcIdentityToken: token.text },
      publicKeyRequest: {
        publicKey: { algorithm: 'ECDSA', content: publicKey.export({ type: 'spki', format: 'pem' }) },
        proofOfPossession: proof,
      },
    },
    secrets: [token.text],
    signal,
  });
  const signed = answer.signedCertificateEmbeddedSct ?? answer.signedCertificateDetachedSct;
  const chain = isObject(signed) && isObject(signed.chain) ? signed.chain.certificates : undefined;
  const [leaf] = Array.isArray(chain) ? (chain as readonly unknown[]) : [];
  try {
    if (typeof leaf !== 'string') throw new Error('no certificate');
    const certificate = new X509Certificate(leaf);
    if (certificate.publicKey.equals(publicKey)) return certificate;
  } catch {
    // Said below.
  }
  throw new GlacisError(
    'signing/unavailable',
    `Fulcio at ${fulcio}: expected a certificate for the key that was sent, got something else`,
  );
}
