import { GlacisError } from '../core/error.ts';
import { suggestion } from '../core/options.ts';
import type { Bundle } from '../supply/sign/bundle.ts';
import type { SignatureCheck } from '../supply/sign/signer.ts';
import type { Given, OptionTable } from './args.ts';
import { readKey, required } from './signer-from.ts';

/** The ways to verify, named as the reference program names them. */
export const VERIFYING_METHODS = ['key'] as const;

/** Options that say whose signature is wanted; each belongs to some of the methods. */
export const CHECK_OPTIONS: OptionTable = {
  'public-key': { value: 'FILE', help: "key: the signer's public key, PEM" },
};

/** Checks a bundle's signature. */
export type Check = (bundle: Bundle) => SignatureCheck | Promise<SignatureCheck>;

/** Whose signature is wanted, as the command line says. Errors: `option/invalid`, `key/unusable`. */
export async function checkFrom(method: string, given: Given): Promise<Check> {
  switch (method as (typeof VERIFYING_METHODS)[number]) {
    case 'key': {
      const [{ publicKeyFrom }, { checkKeySignature }] = await Promise.all([
        import('../supply/sign/ec-key.ts'),
        import('../supply/sign/key-method.ts'),
      ]);
      const path = required(given, 'public-key');
      const key = publicKeyFrom(await readKey(path), path);
      return (bundle) => checkKeySignature(bundle, key);
    }
  }
  throw new GlacisError(
    'option/invalid',
    `verify: expected a method of ${VERIFYING_METHODS.join(', ')}, got '${method}'${suggestion(method, VERIFYING_METHODS)}`,
  );
}
