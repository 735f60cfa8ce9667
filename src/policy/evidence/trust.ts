import type { KeyObject } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import type { Bundle } from '../../supply/sign/bundle.ts';
import { type Certificate, readCertificate, readCertificates } from '../../supply/sign/certificate.ts';
import { checkCertificateSignature } from '../../supply/sign/certificate-method.ts';
import { publicKeyFrom } from '../../supply/sign/ec-key.ts';
import { checkKeySignature } from '../../supply/sign/key-method.ts';
import type { SignatureCheck } from '../../supply/sign/signer.ts';
import { alternativeNames } from './certificate-names.ts';
import type { EnvelopeCheck, Voucher } from './statement.ts';

/**
 * Public keys and certificates that envelopes are checked with. They are material, not a decision: whom a requirement believes is up to the
 * policy, which names keys and roots by their digests.
 */
export interface TrustMaterial {
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly Certificate[];
}

/** No material: nothing can be verified. */
export const NO_TRUST: TrustMaterial = { keys: [], certificates: [] };

/** What a PEM file holds: one public key, or certificates. Errors: `key/unusable` for anything else, a private key included. */
export function trustFrom(pem: Uint8Array, where: string): TrustMaterial {
  return Buffer.from(pem).includes('BEGIN CERTIFICATE')
    ? { keys: [], certificates: readCertificates(pem, where) }
    : { keys: [publicKeyFrom(pem, where)], certificates: [] };
}

/** All of the material. */
export function joinTrust(all: readonly TrustMaterial[]): TrustMaterial {
  return { keys: all.flatMap(({ keys }) => keys), certificates: all.flatMap((each) => each.certificates) };
}

/**
 * Checks a bundle's signature with every key, or with every root, and says who signed.
 *
 * @param at when certificates must be valid
 */
export function checkBundle(bundle: Bundle, { keys, certificates }: TrustMaterial, at: Date): EnvelopeCheck {
  switch (bundle.material.method) {
    case 'key': {
      const reasons: string[] = [];
      for (const key of keys) {
        const check = attempt(() => checkKeySignature(bundle, key));
        if (check.fits && check.by.method === 'key' && check.by.keyFingerprint !== undefined)
          return { verified: true, by: { method: 'key', key: `sha256:${check.by.keyFingerprint}` } };
        if (!check.fits) reasons.push(check.reason);
      }
      const named = bundle.material.hint?.slice(0, 64);
      return refused(
        keys.length === 1
          ? reasons[0]!
          : `none of ${keys.length} known keys made it${named ? `; it names the key ${named}` : ''}`,
      );
    }
    case 'certificate': {
      const roots = certificates.filter(({ x509 }) => x509.checkIssued(x509) && x509.verify(x509.publicKey));
      const others = certificates.filter((each) => !roots.includes(each));
      let reason = 'no root certificate is known';
      for (const root of roots) {
        // One root at a time, so that it is certain which one the path leads to.
        const check = attempt(() => checkCertificateSignature(bundle, { trusted: [root, ...others], at }));
        if (check.fits) return { verified: true, by: certified(bundle.material.chain[0]!, root) };
        reason = check.reason;
      }
      return refused(reason);
    }
    case 'sigstore':
      return refused('it is signed with Sigstore, for which no trusted root is known');
  }
}

function certified(leaf: Uint8Array, root: Certificate): Voucher {
  const { x509 } = readCertificate(leaf, 'certificate 1 of the signature');
  return {
    method: 'certificate',
    root: `sha256:${root.x509.fingerprint256.replaceAll(':', '').toLowerCase()}`,
    identities: alternativeNames(x509.subjectAltName),
  };
}

/** A check that throws for what an attacker wrote is one that does not fit. */
function attempt(check: () => SignatureCheck): SignatureCheck {
  try {
    return check();
  } catch (thrown) {
    if (thrown instanceof GlacisError) return { fits: false, reason: thrown.message };
    throw thrown;
  }
}

function refused(reason: string): EnvelopeCheck {
  return { verified: false, reason };
}
