import { GlacisError } from '../core/error.ts';
import type { Bundle } from '../supply/sign/bundle.ts';
import type { Certificate } from '../supply/sign/certificate.ts';
import type { SignatureCheck } from '../supply/sign/signer.ts';
import type { Given, OptionTable } from './args.ts';
import { readKey } from './read-key.ts';
import { certificatesIn, methodFrom, required, requireTaken } from './signer-from.ts';
import type { Terminal } from './terminal.ts';

/** The ways to verify, named as the reference program names them. */
export const VERIFYING_METHODS = ['key', 'certificate', 'sigstore'] as const;

/** Options that say whose signature is wanted; each belongs to some of the methods. */
export const CHECK_OPTIONS: OptionTable = {
  'public-key': { value: 'FILE', help: "key: the signer's public key, PEM" },
  'certificate-chain': {
    value: 'FILE',
    help: 'certificate: the roots that you trust, PEM, in one file or several',
    many: true,
  },
  'log-fingerprints': { help: 'certificate: show the SHA-256 fingerprints of all certificates' },
  'trust-config': { value: 'FILE', help: 'sigstore: the trusted root, JSON' },
  'use-staging': { help: "sigstore: the trusted root is that of the public services' instance for trials" },
  identity: { value: 'NAME', help: 'sigstore: who must have signed, letter for letter' },
  'identity-provider': { value: 'URL', help: 'sigstore: who must have vouched for the identity' },
  at: { value: 'TIME', help: 'certificate: judge validity at this time (ISO 8601) and not now' },
};

/** Which of them each method takes. */
const TAKES: Readonly<Record<(typeof VERIFYING_METHODS)[number], readonly string[]>> = {
  key: ['public-key'],
  certificate: ['certificate-chain', 'log-fingerprints', 'at'],
  sigstore: ['trust-config', 'use-staging', 'identity', 'identity-provider'],
};

/** Checks a bundle's signature. */
export type Check = (bundle: Bundle) => SignatureCheck | Promise<SignatureCheck>;

/** Whose signature is wanted, as the command line says. Errors: `option/invalid`, `key/unusable`. */
export async function checkFrom(
  method: string,
  given: Given,
  terminal: Pick<Terminal, 'say'>,
): Promise<Check> {
  const known = methodFrom(method, VERIFYING_METHODS);
  requireTaken(given, known, TAKES);
  switch (known) {
    case 'key': {
      const [{ publicKeyFrom }, { checkKeySignature }] = await Promise.all([
        import('../supply/sign/ec-key.ts'),
        import('../supply/sign/key-method.ts'),
      ]);
      const path = required(given, 'public-key');
      const key = publicKeyFrom(await readKey(path), path);
      return (bundle) => checkKeySignature(bundle, key);
    }
    case 'certificate': {
      const [{ checkCertificateSignature }, { readCertificate }] = await Promise.all([
        import('../supply/sign/certificate-method.ts'),
        import('../supply/sign/certificate.ts'),
      ]);
      const at = new Date(given.time('at') ?? Date.now());
      required(given, 'certificate-chain');
      const trusted = await certificatesIn(given.texts('certificate-chain'));
      return (bundle) => {
        if (given.flag('log-fingerprints')) {
          const chain = bundle.material.method === 'certificate' ? bundle.material.chain : [];
          // Also of a signature that is refused: that is when one wants to know. What is no certificate, the check says.
          const own = chain.flatMap((der) => {
            try {
              return [readCertificate(der, 'the signature')];
            } catch {
              return [];
            }
          });
          for (const line of [...fingerprints(trusted, 'trusted'), ...fingerprints(own, 'in the signature')])
            terminal.say(line);
        }
        return checkCertificateSignature(bundle, { trusted, at });
      };
    }
    case 'sigstore': {
      const { sigstoreCheck } = await import('../supply/sign/sigstore/check.ts');
      return sigstoreCheck({
        trustedRoot: await trustedRootGiven(given),
        identity: required(given, 'identity'),
        identityProvider: required(given, 'identity-provider'),
      });
    }
  }
}

/**
 * The trusted root of `--trust-config`. There is none in Glacis and none is fetched: whoever verifies says whom to believe, and with `--use-staging` only the
 * authority of that instance will do. Errors: `option/invalid`, `key/unusable`.
 */
async function trustedRootGiven(given: Given): Promise<Uint8Array> {
  const [path, staging] = [given.text('trust-config'), given.flag('use-staging')];
  if (path === undefined)
    throw new GlacisError(
      'option/invalid',
      staging
        ? "--trust-config: expected the trusted root of Sigstore's instance for trials, which Glacis does not bring: the file trusted_root.json that 'cosign initialize --staging' fetches from https://tuf-repo-cdn.sigstage.dev; got nothing"
        : "--trust-config: expected the trusted root of the instance that signed, which Glacis does not bring: for the public one, what 'cosign trusted-root create --with-default-services' writes; got nothing",
    );
  const trustedRoot = await readKey(path);
  if (staging) {
    const [{ authoritiesIn }, { STAGING_SIGSTORE }] = await Promise.all([
      import('../supply/sign/sigstore/check.ts'),
      import('../supply/sign/sigstore/services.ts'),
    ]);
    const found = authoritiesIn(trustedRoot);
    if (found.length === 0 || found.some((authority) => authority !== STAGING_SIGSTORE.fulcio))
      throw new GlacisError(
        'option/invalid',
        `--use-staging: expected in ${path} the trusted root of ${STAGING_SIGSTORE.fulcio} alone, got that of ${found.join(', ') || 'no authority'}`,
      );
  }
  return trustedRoot;
}

function fingerprints(certificates: readonly Certificate[], where: string): readonly string[] {
  return certificates.map(
    ({ x509 }) => `${where}: SHA-256 ${x509.fingerprint256}  ${x509.subject.replaceAll('\n', ', ')}`,
  );
}
