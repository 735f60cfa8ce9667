import { readFile } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { suggestion } from '../core/options.ts';
import type { Signer } from '../supply/sign/signer.ts';
import type { Given, OptionTable } from './args.ts';

/** The ways to sign, named as the reference program names them. */
export const SIGNING_METHODS = ['key'] as const;

/** Options that say who signs; each belongs to some of the methods. */
export const SIGNER_OPTIONS: OptionTable = {
  'private-key': { value: 'FILE', help: 'key: the private key, PEM' },
  password: {
    value: 'TEXT',
    help: "the key's password; better in GLACIS_KEY_PASSWORD, where other users do not see it",
  },
};

/** Who signs, as the command line says. Errors: `option/invalid`, `key/unusable`, `signing/unavailable`. */
export async function signerFrom(method: string, given: Given): Promise<Signer> {
  switch (method as (typeof SIGNING_METHODS)[number]) {
    case 'key': {
      const [{ privateKeyFrom }, { keySigner }] = await Promise.all([
        import('../supply/sign/ec-key.ts'),
        import('../supply/sign/key-method.ts'),
      ]);
      const path = required(given, 'private-key');
      return keySigner(privateKeyFrom(await readKey(path), path, passwordFrom(given)));
    }
  }
  throw new GlacisError(
    'option/invalid',
    `sign: expected a method of ${SIGNING_METHODS.join(', ')}, got '${method}'${suggestion(method, SIGNING_METHODS)}`,
  );
}

/** The text of an option that this method needs. Errors: `option/invalid`. */
export function required(given: Given, name: string): string {
  const text = given.text(name);
  if (text === undefined) throw new GlacisError('option/invalid', `--${name}: expected a value, got nothing`);
  return text;
}

/** The bytes of a key or certificate file. Errors: `key/unusable`. */
export async function readKey(path: string): Promise<Uint8Array> {
  return readFile(path).catch((thrown: unknown) => {
    throw asGlacisError(thrown, 'key/unusable', path);
  });
}

/** The password of an encrypted key: from the option or from GLACIS_KEY_PASSWORD. */
export function passwordFrom(given: Given): string | undefined {
  return given.text('password') ?? process.env.GLACIS_KEY_PASSWORD;
}
