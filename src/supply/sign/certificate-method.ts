import type { KeyObject } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import { type Bundle, bundleOf } from './bundle.ts';
import { type Certificate, CODE_SIGNING, readCertificate } from './certificate.ts';
import { findPath } from './certificate-path.ts';
import { IN_TOTO } from './dsse.ts';
import { encodingThatFits, fingerprintOf, requireCurve, signWithEc } from './ec-key.ts';
import { LEGACY_WARNING } from './key-method.ts';
import type { SignatureCheck, Signer } from './signer.ts';

/**
 * Signs with a key and its certificate; the bundle holds the certificate and those of `chain`, which should lead up to the root that
 * verifiers trust. Errors: `key/unusable` for a key that is not the certificate's or a certificate that is not for signing.
 */
export function certificateSigner(key: KeyObject, leaf: Certificate, chain: readonly Certificate[]): Signer {
  return certificateSignerWith(fingerprintOf(key), leaf, chain, async (payload) =>
    signWithEc(key, IN_TOTO, payload),
  );
}

/** As {@link certificateSigner}, with a key that is elsewhere and has this fingerprint; `sign` gives ECDSA in DER. */
export function certificateSignerWith(
  fingerprint: string,
  leaf: Certificate,
  chain: readonly Certificate[],
  sign: (payload: Uint8Array) => Promise<Uint8Array>,
): Signer {
  requireCurve(leaf.x509.publicKey, 'the signing certificate');
  if (fingerprint !== fingerprintOf(leaf.x509.publicKey))
    throw new GlacisError(
      'key/unusable',
      `the signing certificate: expected the one of the private key, got one of another key`,
    );
  if (!maySign(leaf))
    throw new GlacisError('key/unusable', `the signing certificate: expected ${FOR_SIGNING}, got another`);
  const certificates = [leaf, ...chain].map(({ x509 }) => ({ rawBytes: x509.raw.toString('base64') }));
  return {
    method: 'certificate',
    who: nameOf(leaf),
    sign: async (payload) =>
      bundleOf(payload, await sign(payload), { x509CertificateChain: { certificates } }),
  };
}

const FOR_SIGNING = 'one for digital signatures or code signing';

/** Key usage or extended key usage must say so, as the reference implementation has it. */
function maySign({ keyUsage, extendedKeyUsage }: Certificate): boolean {
  return keyUsage?.digitalSignature === true || extendedKeyUsage?.includes(CODE_SIGNING) === true;
}

/** How certificates are judged. */
export interface CertificateTrust {
  /** What the verifier trusts: at least one that signs itself. The others only help to find a path. */
  readonly trusted: readonly Certificate[];
  /** When all certificates must be valid. Published tools take the start of the leaf's validity and so never see an expired one. */
  readonly at: Date;
}

/**
 * Whether the bundle was signed with a certificate that leads to a trusted root at the given time. Revocation is not asked for. Errors:
 * `key/unusable` when no trusted certificate is a root.
 */
export function checkCertificateSignature(
  { material, envelope }: Bundle,
  { trusted, at }: CertificateTrust,
): SignatureCheck {
  const roots = trusted.filter(({ x509 }) => x509.issuer === x509.subject && x509.verify(x509.publicKey));
  if (roots.length === 0)
    throw new GlacisError(
      'key/unusable',
      'the certificate chain: expected a root (a certificate that signs itself), got none',
    );
  if (material.method !== 'certificate')
    return { fits: false, reason: `it was signed with a ${material.method}, not with a certificate` };
  let chain: readonly Certificate[];
  try {
    chain = material.chain.map((der, i) => readCertificate(der, `certificate ${i + 1} of the signature`));
    requireCurve(chain[0]!.x509.publicKey, 'certificate 1 of the signature');
  } catch (thrown) {
    if (thrown instanceof GlacisError) return { fits: false, reason: thrown.message };
    throw thrown;
  }
  const [leaf, ...others] = chain as [Certificate, ...Certificate[]];
  const found = findPath({ leaf, others: [...others, ...trusted], roots, at });
  if (found.path === undefined)
    return { fits: false, reason: `the certificate is not trusted: ${found.reason}` };
  if (!maySign(leaf)) return { fits: false, reason: `${nameOf(leaf)}: expected ${FOR_SIGNING}` };
  const key = leaf.x509.publicKey;
  const encoding = encodingThatFits(key, envelope);
  if (encoding === undefined)
    return { fits: false, reason: 'the signature does not fit the statement under its certificate' };
  const by = {
    method: 'certificate' as const,
    keyFingerprint: fingerprintOf(key),
    subject: nameOf(leaf),
    issuer: leaf.x509.issuer.replaceAll('\n', ', '),
  };
  return { fits: true, by, warnings: encoding === 'legacy' ? [LEGACY_WARNING] : [] };
}

function nameOf({ x509 }: Certificate): string {
  return x509.subject.replaceAll('\n', ', ');
}
