import { GlacisError } from '../core/error.ts';
import { suggestion } from '../core/options.ts';
import type { Certificate } from '../supply/sign/certificate.ts';
import type { Signer } from '../supply/sign/signer.ts';
import type { Given, OptionTable } from './args.ts';
import type { CommandRun } from './command.ts';
import { readKey } from './read-key.ts';
import { SIGSTORE_OPTIONS, sigstoreFrom } from './sigstore-from.ts';

/** The ways to sign, named as the reference program names them. */
export const SIGNING_METHODS = [
  'key',
  'certificate',
  'pkcs11-key',
  'pkcs11-certificate',
  'sigstore',
] as const;

/** Options that say who signs; each belongs to some of the methods. */
export const SIGNER_OPTIONS: OptionTable = {
  'private-key': { value: 'FILE', help: 'key, certificate: the private key, PEM' },
  password: {
    value: 'TEXT',
    help: "the key's password; better in GLACIS_KEY_PASSWORD, where other users do not see it",
  },
  'pkcs11-uri': {
    value: 'URI',
    help: 'pkcs11-…: the key, e.g. pkcs11:token=T;object=K?module-path=FILE; the PIN in pin-source=FILE or GLACIS_PKCS11_PIN',
  },
  'signing-certificate': { value: 'FILE', help: "certificate: the signer's certificate, PEM" },
  'certificate-chain': {
    value: 'FILE',
    help: 'certificate: those above it, PEM, in one file or several',
    many: true,
  },
  ...SIGSTORE_OPTIONS,
};

/** Which of them each method takes. */
const TAKES: Readonly<Record<(typeof SIGNING_METHODS)[number], readonly string[]>> = {
  key: ['private-key', 'password'],
  certificate: ['private-key', 'password', 'signing-certificate', 'certificate-chain'],
  'pkcs11-key': ['pkcs11-uri'],
  'pkcs11-certificate': ['pkcs11-uri', 'signing-certificate', 'certificate-chain'],
  sigstore: Object.keys(SIGSTORE_OPTIONS),
};

/** Who signs, as the command line says. Errors: `option/invalid`, `key/unusable`, `signing/unavailable`. */
export async function signerFrom(
  method: string,
  given: Given,
  run: Pick<CommandRun, 'terminal' | 'signal'>,
): Promise<Signer> {
  const known = methodFrom(method, SIGNING_METHODS);
  requireTaken(given, known, TAKES);
  switch (known) {
    case 'key': {
      const [{ privateKeyFrom }, { keySigner }] = await Promise.all([
        import('../supply/sign/ec-key.ts'),
        import('../supply/sign/key-method.ts'),
      ]);
      const path = required(given, 'private-key');
      return keySigner(privateKeyFrom(await readKey(path), path, passwordFrom(given)));
    }
    case 'certificate': {
      const [{ privateKeyFrom }, { certificateSigner }] = await Promise.all([
        import('../supply/sign/ec-key.ts'),
        import('../supply/sign/certificate-method.ts'),
      ]);
      const path = required(given, 'private-key');
      const key = privateKeyFrom(await readKey(path), path, passwordFrom(given));
      const { leaf, chain } = await signingCertificate(given);
      return certificateSigner(key, leaf, chain);
    }
    case 'pkcs11-key':
    case 'pkcs11-certificate': {
      const [{ parsePkcs11Uri }, { loadPkcs11, openPkcs11Key, pkcs11Signer }] = await Promise.all([
        import('../supply/sign/pkcs11-uri.ts'),
        import('../supply/sign/pkcs11.ts'),
      ]);
      const uri = parsePkcs11Uri(required(given, 'pkcs11-uri'));
      const certificate = known === 'pkcs11-key' ? undefined : await signingCertificate(given);
      return pkcs11Signer(await openPkcs11Key(uri, await loadPkcs11(), process.env), certificate);
    }
    case 'sigstore':
      return sigstoreFrom(given, run);
  }
}

/**
 * METHOD and what it is about. A method that is left out is sigstore, as in the reference program. Errors: `option/invalid` for more words or fewer.
 */
export function methodAndSubject(
  { positionals }: Pick<Given, 'positionals'>,
  methods: readonly string[],
  usage: string,
): readonly [method: string, subject: string] {
  const [first, second, ...rest] = positionals;
  if (first !== undefined && second !== undefined && rest.length === 0) return [first, second];
  if (first !== undefined && second === undefined && !methods.includes(first)) return ['sigstore', first];
  throw new GlacisError('option/invalid', `${usage}, got '${positionals.join(' ')}'`);
}

/** One of `methods`. Errors: `option/invalid`. */
export function methodFrom<T extends string>(method: string, methods: readonly T[]): T {
  const found = methods.find((each) => each === method);
  if (found !== undefined) return found;
  throw new GlacisError(
    'option/invalid',
    `METHOD: expected ${methods.join(', ')}, got '${method}'${suggestion(method, methods)}`,
  );
}

/**
 * Refuses an option that another method takes: one that was given and not looked at would give a wrong feeling of safety. Errors:
 * `option/invalid`.
 */
export function requireTaken<T extends string>(
  given: Given,
  method: T,
  takes: Readonly<Record<T, readonly string[]>>,
): void {
  for (const name of new Set(Object.values<readonly string[]>(takes).flat())) {
    if (!given.flag(name) || takes[method].includes(name)) continue;
    const others = (Object.keys(takes) as T[]).filter((each) => takes[each].includes(name));
    throw new GlacisError(
      'option/invalid',
      `--${name}: expected with ${others.join(', ')}, got with ${method}`,
    );
  }
}

/** The text of an option that this method needs. Errors: `option/invalid`. */
export function required(given: Given, name: string): string {
  const text = given.text(name);
  if (text === undefined) throw new GlacisError('option/invalid', `--${name}: expected a value, got nothing`);
  return text;
}

/** The certificate of `--signing-certificate` and those above it. */
async function signingCertificate(given: Given) {
  const [leaf, ...rest] = await certificatesIn([required(given, 'signing-certificate')]);
  return { leaf: leaf!, chain: [...rest, ...(await certificatesIn(given.texts('certificate-chain')))] };
}

/** Every certificate in these PEM files. Errors: `key/unusable`. */
export async function certificatesIn(paths: readonly string[]): Promise<readonly Certificate[]> {
  const { readCertificates } = await import('../supply/sign/certificate.ts');
  const read = await Promise.all(paths.map(async (path) => readCertificates(await readKey(path), path)));
  return read.flat();
}

/** The password of an encrypted key: from the option or from GLACIS_KEY_PASSWORD. */
export function passwordFrom(given: Given): string | undefined {
  return given.text('password') ?? process.env.GLACIS_KEY_PASSWORD;
}
