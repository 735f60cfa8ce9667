import { GlacisError } from '../../core/error.ts';
import { type Attempt, attempt, refusal, wordsOf } from '../http-body.ts';
import type { OciRepository } from './reference.ts';

/** Name and password for a registry. */
export interface OciCredentials {
  readonly username: string;
  readonly password: string;
}

/** A question to a repository. */
export interface OciRequest {
  readonly method: string;
  /** Below the repository, e.g. `blobs/sha256:…`, or a whole address that the registry gave. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Attempt['body'];
  readonly signal?: AbortSignal | undefined;
}

/** Asks a repository, with a token where the registry wants one. Errors: `registry/storage`, `run/cancelled`. */
export type OciClient = (request: OciRequest) => Promise<Response>;

/** Redirections to a store behind the registry that are followed at most. */
const MOST_REDIRECTIONS = 3;

/**
 * A client of the OCI distribution protocol, version 1.1 (https://github.com/opencontainers/distribution-spec), with its two ways of proving
 * who asks: name and password, or a token from the server that the registry names. Rights are sent to the registry's own address only, and a
 * password to a token server only over TLS or on the registry's host. Downloads may be redirected; then without rights.
 */
export function ociClient(repository: OciRepository, credentials?: OciCredentials): OciClient {
  let authorization: string | undefined;
  const { base, name } = repository;
  const own = new URL(base).origin;
  return async ({ method, path, headers = {}, body, signal }) => {
    let url = new URL(path, `${base}/v2/${name}/`);
    let redirections = 0;
    for (let asked = false; ; ) {
      const rights = url.origin === own && authorization !== undefined ? { authorization } : {};
      const answer = await attempt({ url, method, body, signal, headers: () => ({ ...headers, ...rights }) });
      if (answer.status === 401 && !asked && url.origin === own) {
        asked = true;
        await answer.body?.cancel();
        authorization = await proof(
          answer.headers.get('www-authenticate') ?? '',
          repository,
          credentials,
          signal,
        );
        continue;
      }
      const to = answer.headers.get('location');
      if (
        ![301, 302, 303, 307, 308].includes(answer.status) ||
        to === null ||
        !['GET', 'HEAD'].includes(method)
      )
        return answer;
      await answer.body?.cancel();
      url = new URL(to, url);
      if (++redirections > MOST_REDIRECTIONS || !/^https?:$/.test(url.protocol))
        throw new GlacisError(
          'registry/storage',
          `${own}: expected at most ${MOST_REDIRECTIONS} redirections to web addresses`,
        );
    }
  };
}

/** What goes into the header `authorization`, after the registry said how it wants to be asked. */
async function proof(
  challenge: string,
  { base, host, name }: OciRepository,
  credentials: OciCredentials | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const basic =
    credentials &&
    `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  if (/^basic\b/i.test(challenge)) {
    if (basic) return basic;
    throw new GlacisError(
      'registry/storage',
      `${base}: it wants a name and a password (GLACIS_OCI_USERNAME, GLACIS_OCI_PASSWORD)`,
    );
  }
  const field = (key: string) => new RegExp(`\\b${key}="([^"]*)"`).exec(challenge)?.[1];
  const realm = field('realm');
  if (!/^bearer\b/i.test(challenge) || realm === undefined || !URL.canParse(realm))
    throw new GlacisError(
      'registry/storage',
      `${base}: expected a registry that says how to prove who asks, got '${challenge.slice(0, 80)}'`,
    );
  const url = new URL(realm);
  const service = field('service');
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', `repository:${name}:pull,push`);
  const safe = url.protocol === 'https:' || url.host === host;
  const answer = await attempt({
    url,
    method: 'GET',
    signal,
    headers: () => (basic && safe ? { authorization: basic } : {}),
  });
  if (!answer.ok) throw await refusal(answer, url.origin);
  const json = jsonIn(await wordsOf(answer)) as { token?: unknown; access_token?: unknown } | undefined;
  const token = json?.token ?? json?.access_token;
  if (typeof token !== 'string' || token.length > 65_536 || /[^\x21-\x7e]/.test(token))
    throw new GlacisError('registry/storage', `${url.origin}: expected a token, got something else`);
  return `Bearer ${token}`;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
