import { GlacisError } from '../core/error.ts';
import { visible } from '../report/markup.ts';
import type { Signer } from '../supply/sign/signer.ts';
import type { IdentityToken } from '../supply/sign/sigstore/identity-token.ts';
import type { SigstoreServices } from '../supply/sign/sigstore/services.ts';
import type { Given, OptionTable } from './args.ts';
import { askLine } from './ask-line.ts';
import type { CommandRun } from './command.ts';
import { openBrowser } from './open-browser.ts';
import { readKey } from './read-key.ts';

/** Options of signing with Sigstore, named as the reference program names them where it has them. */
export const SIGSTORE_OPTIONS: OptionTable = {
  'identity-token': {
    value: 'FILE',
    help: 'sigstore: a file with the OpenID Connect token, or the token itself; GLACIS_IDENTITY_TOKEN unless given; without either, a login in the browser',
  },
  'use-ambient-credentials': {
    help: 'sigstore: take the identity that GitHub Actions, GitLab, CircleCI, Buildkite or Google Cloud gives',
  },
  'oauth-force-oob': {
    help: 'sigstore: log in with a browser elsewhere, and type in the code that it shows',
  },
  'oidc-issuer': { value: 'URL', help: 'sigstore: where to log in; that of the services unless given' },
  'client-id': { value: 'ID', help: 'sigstore: what the issuer calls this program; sigstore unless given' },
  'client-secret': {
    value: 'TEXT',
    help: 'sigstore: for a program that it knows with a secret; better in GLACIS_CLIENT_SECRET',
  },
  'use-staging': { help: "sigstore: the public services' instance for trials, which nobody trusts" },
  'trust-config': {
    value: 'FILE',
    help: 'sigstore: a client trust configuration (JSON) that names the services',
  },
  fulcio: { value: 'URL', help: 'sigstore: the authority, with --rekor; the public ones unless given' },
  rekor: { value: 'URL', help: 'sigstore: the log, with --fulcio' },
};

/** Who signs with Sigstore, as the command line says. A login waits until the statement is there. Errors: `option/invalid`, `key/unusable`. */
export async function sigstoreFrom(
  given: Given,
  { terminal, signal }: Pick<CommandRun, 'terminal' | 'signal'>,
): Promise<Signer> {
  const [{ sigstoreSigner }, { SIGSTORE_CLIENT }] = await Promise.all([
    import('../supply/sign/sigstore/signer.ts'),
    import('../supply/sign/sigstore/identity-token.ts'),
  ]);
  const services = await servicesGiven(given);
  const clientId = given.text('client-id') ?? SIGSTORE_CLIENT;
  const watched = terminal.isWatched === true;
  return sigstoreSigner(await tokenGiven(given, services, clientId, watched, signal), services, signal);
}

/** The services that the command line names, never some of one instance and some of another. Errors: `option/invalid`, `key/unusable`. */
async function servicesGiven(given: Given): Promise<SigstoreServices> {
  const { PUBLIC_SIGSTORE, STAGING_SIGSTORE, servicesFrom, serviceUrl } = await import(
    '../supply/sign/sigstore/services.ts'
  );
  const [fulcio, rekor, config] = [given.text('fulcio'), given.text('rekor'), given.text('trust-config')];
  const issuer = given.text('oidc-issuer');
  const named = [
    ...(given.flag('use-staging') ? ['--use-staging'] : []),
    ...(config === undefined ? [] : ['--trust-config']),
    ...(fulcio === undefined && rekor === undefined ? [] : ['--fulcio and --rekor']),
  ];
  if (named.length > 1)
    throw new GlacisError('option/invalid', `sigstore: expected one of ${named.join(', ')}, got several`);
  if ((fulcio === undefined) !== (rekor === undefined))
    throw new GlacisError(
      'option/invalid',
      `--${fulcio === undefined ? 'fulcio' : 'rekor'}: expected with --${fulcio === undefined ? 'rekor' : 'fulcio'}, or signatures of one instance would be entered in another; got nothing`,
    );
  const services =
    fulcio !== undefined && rekor !== undefined
      ? { fulcio: serviceUrl(fulcio, '--fulcio'), rekor: serviceUrl(rekor, '--rekor') }
      : config !== undefined
        ? servicesFrom(await readKey(config), new Date())
        : given.flag('use-staging')
          ? STAGING_SIGSTORE
          : PUBLIC_SIGSTORE;
  return issuer === undefined ? services : { ...services, issuer: serviceUrl(issuer, '--oidc-issuer') };
}

/** Where the identity token comes from: what was given, the surroundings, or a login. Errors: `option/invalid`, `key/unusable`. */
async function tokenGiven(
  given: Given,
  { issuer }: SigstoreServices,
  clientId: string,
  watched: boolean,
  signal: AbortSignal,
): Promise<() => Promise<IdentityToken>> {
  const { identityTokenFrom } = await import('../supply/sign/sigstore/identity-token.ts');
  const read = (text: string) => identityTokenFrom(text, clientId, new Date());
  const outOfBand = given.flag('oauth-force-oob');
  const ways = ['identity-token', 'use-ambient-credentials', 'oauth-force-oob'].filter(given.flag);
  if (ways.length > 1)
    throw new GlacisError('option/invalid', `sigstore: expected one of --${ways.join(', --')}, got several`);
  const token = await tokenTextGiven(given, ways.length === 0);
  if (token !== undefined || given.flag('use-ambient-credentials')) refuseLoginOptions(given);
  if (token !== undefined) {
    const early = read(token);
    return async () => early;
  }
  if (given.flag('use-ambient-credentials')) {
    const { ambientToken } = await import('../supply/sign/sigstore/ambient-token.ts');
    return async () => read(await ambientToken(clientId, { env: process.env, signal }));
  }
  if (issuer === undefined)
    throw new GlacisError(
      'option/invalid',
      '--oidc-issuer: expected where to log in, because these services name no issuer; or --identity-token; got nothing',
    );
  if (!watched && !outOfBand)
    throw new GlacisError(
      'option/invalid',
      '--identity-token: expected one (or one in GLACIS_IDENTITY_TOKEN), --use-ambient-credentials or --oauth-force-oob, because there is no terminal for a login; got nothing',
    );
  return async () => {
    const { browserLogin } = await import('../supply/sign/sigstore/browser-login.ts');
    const clientSecret = given.text('client-secret') ?? process.env.GLACIS_CLIENT_SECRET;
    const person = {
      show: (text: string) => void process.stderr.write(`${visible(text)}\n`),
      open: (address: string) => openBrowser(address, process.env),
      ask: (question: string, until: AbortSignal) =>
        askLine(question, { output: process.stderr, signal: until, where: 'login' }),
    };
    return read(await browserLogin({ issuer, clientId, clientSecret, outOfBand }, person, signal));
  };
}

/**
 * The token of `--identity-token`: its value, where that has the form of one, as the reference program takes it, else what is in the file of that name; the
 * environment's where no way was named.
 */
async function tokenTextGiven(given: Given, elsewhere: boolean): Promise<string | undefined> {
  const value = given.text('identity-token');
  if (value === undefined) return (elsewhere && process.env.GLACIS_IDENTITY_TOKEN) || undefined;
  return /^ey[\w-]*\.[\w-]+\.[\w-]+$/.test(value) ? value : Buffer.from(await readKey(value)).toString();
}

/** What is given and not looked at would give a wrong feeling. Errors: `option/invalid`. */
function refuseLoginOptions(given: Given): void {
  for (const name of ['oidc-issuer', 'client-secret'])
    if (given.flag(name))
      throw new GlacisError(
        'option/invalid',
        `--${name}: expected with a login in the browser, got with a token from elsewhere`,
      );
}
