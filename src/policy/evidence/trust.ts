import { createPublicKey, type KeyObject } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import type { Bundle } from '../../supply/sign/bundle.ts';
import { type Certificate, readCertificate, readCertificates } from '../../supply/sign/certificate.ts';
import { checkCertificateSignature } from '../../supply/sign/certificate-method.ts';
import { fingerprintOf, publicKeyFrom } from '../../supply/sign/ec-key.ts';
import { checkKeySignature } from '../../supply/sign/key-method.ts';
import { checkBoth, postQuantumKeyFrom } from '../../supply/sign/post-quantum.ts';
import type { SignatureCheck } from '../../supply/sign/signer.ts';
import { alternativeNames } from './certificate-names.ts';
import type { EnvelopeCheck, Voucher } from './statement.ts';

/**
 * What envelopes are checked with. It is material, not a decision: whom a requirement believes is up to the policy, which names keys and
 * roots by their digests and Sigstore's identities letter for letter.
 */
export interface TrustMaterial {
  /** EC keys, and ML-DSA-65 keys for post-quantum signatures. */
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly Certificate[];
  /** Trusted roots of Sigstore, in JSON. */
  readonly sigstoreRoots: readonly Uint8Array[];
}

/** What a file holds: one public key or certificates in PEM, or a trusted root of Sigstore in JSON. Errors: `key/unusable` for anything else. */
export function trustFrom(bytes: Uint8Array, where: string): TrustMaterial {
  const none: TrustMaterial = { keys: [], certificates: [], sigstoreRoots: [] };
  const text = Buffer.from(bytes).toString('latin1');
  if (text.trimStart().startsWith('{')) return { ...none, sigstoreRoots: [bytes] };
  if (text.includes('BEGIN CERTIFICATE')) return { ...none, certificates: readCertificates(bytes, where) };
  return {
    ...none,
    keys: [isPostQuantum(bytes) ? postQuantumKeyFrom(bytes, 'public', where) : publicKeyFrom(bytes, where)],
  };
}

/** All of the material. */
export function joinTrust(all: readonly TrustMaterial[]): TrustMaterial {
  return {
    keys: all.flatMap(({ keys }) => keys),
    certificates: all.flatMap(({ certificates }) => certificates),
    sigstoreRoots: all.flatMap(({ sigstoreRoots }) => sigstoreRoots),
  };
}

/** How an envelope is checked. */
export interface EnvelopeTrust extends TrustMaterial {
  /** Identities of Sigstore that may have signed: those that the policy names. */
  readonly identities: readonly { readonly identity: string; readonly issuer: string }[];
  /** When certificates must be valid. */
  readonly at: Date;
}

/**
 * Checks a bundle's signature with every key, or with every root, and says who signed. `digest` is that of the file that the bundle was read from: a key that has
 * verified these very bytes is not asked again.
 */
export async function checkBundle(
  bundle: Bundle,
  trust: EnvelopeTrust,
  digest?: string,
): Promise<EnvelopeCheck> {
  switch (bundle.material.method) {
    case 'key':
      return checkWithKeys(bundle, trust.keys, digest);
    case 'certificate':
      return checkWithRoots(bundle, trust);
    case 'sigstore':
      return checkWithSigstore(bundle, trust);
  }
}

async function checkWithKeys(
  bundle: Bundle,
  keys: readonly KeyObject[],
  digest: string | undefined,
): Promise<EnvelopeCheck> {
  const reasons: string[] = [];
  for (const key of keys) {
    const postQuantum = key.asymmetricKeyType === (ML_DSA as string);
    const known = digest !== undefined && VERIFIED.get(key)?.has(digest) === true;
    const check = known
      ? KNOWN_TO_FIT
      : await attempt(() => (postQuantum ? checkPostQuantum(bundle, key) : checkKeySignature(bundle, key)));
    if (check.fits) {
      if (digest !== undefined) remember(key, digest);
      return { verified: true, by: { method: 'key', key: `sha256:${fingerprintOf(key)}`, postQuantum } };
    }
    reasons.push(check.reason);
  }
  const named = bundle.material.method === 'key' ? bundle.material.hint?.slice(0, 64) : undefined;
  return refused(
    keys.length === 1
      ? reasons[0]!
      : `none of ${keys.length} known keys made it${named ? `; it names the key ${named}` : ''}`,
  );
}

/**
 * Files whose signature a key has verified, by their SHA-256. Sound because whether a key verifies these bytes never changes, and only a key that the caller believes
 * now is asked; what did not fit is not remembered. Without it, six signatures take half the time of a decision.
 */
const VERIFIED = new WeakMap<KeyObject, Set<string>>();
/** Files that are remembered for one key; past that, it begins anew. */
const MOST_VERIFIED = 10_000;
const KNOWN_TO_FIT: SignatureCheck = { fits: true, by: { method: 'key' }, warnings: [] };

function remember(key: KeyObject, digest: string): void {
  const files = VERIFIED.get(key);
  if (files === undefined || files.size >= MOST_VERIFIED) VERIFIED.set(key, new Set([digest]));
  else files.add(digest);
}

/** The check of a second signature, on the bundle itself in place of a first one. */
async function checkPostQuantum(bundle: Bundle, key: KeyObject): Promise<SignatureCheck> {
  const any: SignatureCheck = { fits: true, by: { method: 'key' }, warnings: [] };
  return checkBoth(() => any, { key, bundle, required: true })(bundle);
}

async function checkWithRoots(bundle: Bundle, { certificates, at }: EnvelopeTrust): Promise<EnvelopeCheck> {
  const roots = certificates.filter(({ x509 }) => x509.checkIssued(x509) && x509.verify(x509.publicKey));
  const others = certificates.filter((each) => !roots.includes(each));
  let reason = 'no root certificate is known';
  for (const root of roots) {
    // One root at a time, so that it is certain which one the path leads to.
    const check = await attempt(() => checkCertificateSignature(bundle, { trusted: [root, ...others], at }));
    if (check.fits && bundle.material.method === 'certificate')
      return { verified: true, by: certified(bundle.material.chain[0]!, root) };
    if (!check.fits) reason = check.reason;
  }
  return refused(reason);
}

async function checkWithSigstore(
  bundle: Bundle,
  { sigstoreRoots, identities }: EnvelopeTrust,
): Promise<EnvelopeCheck> {
  let reason =
    sigstoreRoots.length === 0 ? 'no trusted root of Sigstore is known' : 'the policy names no identity';
  for (const trustedRoot of sigstoreRoots)
    for (const { identity, issuer } of identities) {
      const check = await attempt(async () => {
        const { sigstoreCheck } = await import('../../supply/sign/sigstore/check.ts');
        return (await sigstoreCheck({ trustedRoot, identity, identityProvider: issuer }))(bundle);
      });
      if (check.fits) return { verified: true, by: { method: 'sigstore', identities: [identity], issuer } };
      reason = check.reason;
    }
  return refused(reason);
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
async function attempt(check: () => SignatureCheck | Promise<SignatureCheck>): Promise<SignatureCheck> {
  try {
    return await check();
  } catch (thrown) {
    if (thrown instanceof GlacisError) return { fits: false, reason: thrown.message };
    throw thrown;
  }
}

/** Node's name of the one post-quantum signature that is taken. */
const ML_DSA = 'ml-dsa-65';

function isPostQuantum(pem: Uint8Array): boolean {
  try {
    return createPublicKey(Buffer.from(pem)).asymmetricKeyType === (ML_DSA as string);
  } catch {
    return false;
  }
}

function refused(reason: string): EnvelopeCheck {
  return { verified: false, reason };
}
