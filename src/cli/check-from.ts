import type { Bundle } from '../supply/sign/bundle.ts';
import type { SignatureCheck } from '../supply/sign/signer.ts';
import type { Given, OptionTable } from './args.ts';
import { certificatesIn, methodFrom, readKey, required, requireTaken } from './signer-from.ts';

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
  'trust-config': { value: 'FILE', help: 'sigstore: the trusted root, JSON' },
  identity: { value: 'NAME', help: 'sigstore: who must have signed, letter for letter' },
  'identity-provider': { value: 'URL', help: 'sigstore: who must have vouched for the identity' },
  at: { value: 'TIME', help: 'certificate: judge validity at this time (ISO 8601) and not now' },
};

/** Which of them each method takes. */
const TAKES: Readonly<Record<(typeof VERIFYING_METHODS)[number], readonly string[]>> = {
  key: ['public-key'],
  certificate: ['certificate-chain', 'at'],
  sigstore: ['trust-config', 'identity', 'identity-provider'],
};

/** Checks a bundle's signature. */
export type Check = (bundle: Bundle) => SignatureCheck | Promise<SignatureCheck>;

/** Whose signature is wanted, as the command line says. Errors: `option/invalid`, `key/unusable`. */
export async function checkFrom(method: string, given: Given): Promise<Check> {
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
      const { checkCertificateSignature } = await import('../supply/sign/certificate-method.ts');
      const at = new Date(given.time('at') ?? Date.now());
      required(given, 'certificate-chain');
      const trusted = await certificatesIn(given.texts('certificate-chain'));
      return (bundle) => checkCertificateSignature(bundle, { trusted, at });
    }
    case 'sigstore': {
      const { sigstoreCheck } = await import('../supply/sign/sigstore-method.ts');
      return sigstoreCheck({
        trustedRoot: await readKey(required(given, 'trust-config')),
        identity: required(given, 'identity'),
        identityProvider: required(given, 'identity-provider'),
      });
    }
  }
}
