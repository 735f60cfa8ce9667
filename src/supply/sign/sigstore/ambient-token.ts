import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { GlacisError, reasonOf } from '../../../core/error.ts';
import { askForObject, askService } from './service-request.ts';

/** What tells where the program runs. */
export interface AmbientSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The standard output of a program; rejects when it is not there or fails. */
  readonly run?: (program: string, args: readonly string[]) => Promise<string>;
  /** The text of a file; rejects when it is not there. */
  readonly readText?: (path: string) => Promise<string>;
  /** Where Google Cloud makes tokens for other accounts than the machine's. */
  readonly googleCredentials?: string;
  readonly signal?: AbortSignal | undefined;
}

type Place = Required<Omit<AmbientSurroundings, 'signal'>>;

const GOOGLE_CREDENTIALS = 'https://iamcredentials.googleapis.com';

/** Somewhere that gives what runs there an identity. */
interface Provider {
  readonly name: string;
  /** Whether the program runs there. */
  here(at: Place): boolean | Promise<boolean>;
  /** The token. Errors: `signing/unavailable`. */
  token(audience: string, at: Place, signal?: AbortSignal): Promise<string>;
}

/**
 * The identity token that the place gives in which the program runs: GitHub Actions, GitLab, CircleCI, Buildkite, Google Cloud, or whatever sets
 * `SIGSTORE_ID_TOKEN`. A pipeline is asked before the machine that it runs on. Nothing else is tried when it refuses. Sources: the
 * packages `id` (Python) and `@sigstore/sign`. Errors: `signing/unavailable` where there is none, or it gives none; never with a token in it.
 */
export async function ambientToken(audience: string, surroundings: AmbientSurroundings): Promise<string> {
  const { signal } = surroundings;
  const at: Place = {
    run: runProgram,
    readText: (path) => readFile(path, 'utf8'),
    googleCredentials: GOOGLE_CREDENTIALS,
    ...surroundings,
  };
  for (const provider of PROVIDERS) {
    if (!(await provider.here(at))) continue;
    const token = (await provider.token(audience, at, signal)).trim();
    if (token === '') throw unavailable(provider.name, 'expected a token, got an empty text');
    return token;
  }
  throw unavailable(
    'ambient credentials',
    `expected to run in ${PROVIDERS.map(({ name }) => name).join(', ')}, found none of them; --identity-token or a login in the browser go without`,
  );
}

const PROVIDERS: readonly Provider[] = [
  {
    name: 'GitHub Actions',
    here: ({ env }) => isSet(env.GITHUB_ACTIONS),
    async token(audience, { env }, signal) {
      const [url, right] = [env.ACTIONS_ID_TOKEN_REQUEST_URL, env.ACTIONS_ID_TOKEN_REQUEST_TOKEN];
      if (!isSet(url) || !isSet(right))
        throw unavailable(
          this.name,
          "expected the right to ask for a token, got none; the workflow needs 'permissions: id-token: write', which runs from forks do not get",
        );
      const address = URL.parse(url);
      if (address === null) throw unavailable(this.name, 'expected an address to ask at, got something else');
      address.searchParams.set('audience', audience);
      const headers = { authorization: `Bearer ${right}` };
      const what = `a token of ${this.name}`;
      return textIn(
        await askForObject({ what, url: address.href, headers, secrets: [right], signal }),
        'value',
        this.name,
      );
    },
  },
  {
    name: 'GitLab',
    here: ({ env }) => isSet(env.GITLAB_CI),
    async token(audience, { env }) {
      const name = `${audience.toUpperCase().replace(/[^A-Z0-9_]|^[^A-Z_]/g, '_')}_ID_TOKEN`;
      const token = env[name];
      if (!isSet(token))
        throw unavailable(
          this.name,
          `expected a token in ${name}, got none; the job needs 'id_tokens: { ${name}: { aud: ${audience} } }'`,
        );
      return token;
    },
  },
  {
    name: 'CircleCI',
    here: ({ env }) => isSet(env.CIRCLECI),
    async token(audience, { run }) {
      const claims = JSON.stringify({ aud: audience });
      return ran(this.name, run, 'circleci', ['run', 'oidc', 'get', '--claims', claims, '--root-issuer']);
    },
  },
  {
    name: 'Buildkite',
    here: ({ env }) => isSet(env.BUILDKITE),
    async token(audience, { run }) {
      return ran(this.name, run, 'buildkite-agent', ['oidc', 'request-token', '--audience', audience]);
    },
  },
  {
    name: 'a place that sets SIGSTORE_ID_TOKEN',
    here: ({ env }) => isSet(env.SIGSTORE_ID_TOKEN),
    token: async (_, { env }) => env.SIGSTORE_ID_TOKEN!,
  },
  {
    name: 'Google Cloud',
    async here({ env, readText }) {
      if (isSet(env.GOOGLE_SERVICE_ACCOUNT_NAME)) return true;
      const product = await readText('/sys/class/dmi/id/product_name').catch(() => '');
      return ['Google', 'Google Compute Engine'].includes(product.trim());
    },
    async token(audience, { env, googleCredentials }, signal) {
      const host = env.GCE_METADATA_HOST ?? 'metadata.google.internal';
      const metadata = `http://${host}/computeMetadata/v1/instance/service-accounts/default`;
      const headers = { 'metadata-flavor': 'Google' };
      const account = env.GOOGLE_SERVICE_ACCOUNT_NAME;
      if (!isSet(account)) {
        const query = new URLSearchParams({ audience, format: 'full' });
        const url = `${metadata}/identity?${query}`;
        return askService({ what: `a token of ${this.name}`, url, headers, secrets: [], signal });
      }
      const query = new URLSearchParams({ scopes: 'https://www.googleapis.com/auth/cloud-platform' });
      const own = await askForObject({
        what: `an access token of ${this.name}`,
        url: `${metadata}/token?${query}`,
        headers,
        secrets: [],
        signal,
      });
      const access = textIn(own, 'access_token', this.name);
      const given = await askForObject({
        what: `a token of ${this.name} for ${account}`,
        url: `${googleCredentials}/v1/projects/-/serviceAccounts/${encodeURIComponent(account)}:generateIdToken`,
        headers: { authorization: `Bearer ${access}` },
        json: { audience, includeEmail: true },
        secrets: [access],
        signal,
      });
      return textIn(given, 'token', this.name);
    },
  },
];

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function textIn(json: Readonly<Record<string, unknown>>, field: string, where: string): string {
  const text = json[field];
  if (typeof text !== 'string') throw unavailable(where, `expected '${field}' in the answer, got none`);
  return text;
}

/** What a program printed; of what it said when it failed, nothing: it may have begun with the token. */
async function ran(
  where: string,
  run: Place['run'],
  program: string,
  args: readonly string[],
): Promise<string> {
  try {
    return await run(program, args);
  } catch (thrown) {
    const { code } = thrown as { readonly code?: unknown };
    throw unavailable(
      where,
      typeof code === 'number'
        ? `expected '${program}' to give a token, got exit code ${code}`
        : `expected '${program}' to run: ${reasonOf(thrown).split('\n')[0]}`,
    );
  }
}

async function runProgram(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args], { timeout: 30_000, maxBuffer: 1 << 16 });
  return stdout;
}

function unavailable(where: string, problem: string): GlacisError {
  return new GlacisError('signing/unavailable', `${where}: ${problem}`);
}
