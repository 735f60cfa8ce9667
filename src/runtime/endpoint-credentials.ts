import { GlacisError } from '../core/error.ts';
import type { EndpointAddress } from './endpoint-address.ts';

/** The headers that every request to an endpoint carries, and what of them must not be shown. */
export interface Credentials {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Values that must not appear in messages. */
  readonly secrets: readonly string[];
}

/** Headers that belong to the transport or to the protocol. */
const RESERVED: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'inference-header-content-length',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Joins the user's own headers with one of: `token` as a Bearer token, the address's user and password, an `authorization` header;
 * without any of these, `fallback` (from the environment) as a Bearer token. Messages name headers, never values.
 * Errors: `option/invalid` for a name or value that cannot be a header's, for one that is not the user's to set, and for two kinds
 * of credentials at once.
 */
export function credentialsFrom(
  address: EndpointAddress,
  headers: Readonly<Record<string, string>>,
  token: string | undefined,
  fallback: string | undefined,
): Credentials {
  const own: Record<string, string> = {};
  for (const [given, value] of Object.entries(headers)) {
    const name = given.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~\w-]{1,200}$/.test(name) || RESERVED.has(name) || Object.hasOwn(own, name))
      throw new GlacisError(
        'option/invalid',
        `endpoint headers: expected names that may be set, each once, got ${JSON.stringify(given.slice(0, 40))}`,
      );
    own[name] = valueFrom(value, `header ${name}`);
  }
  const explicit = [own.authorization, address.authorization, token && bearer(token)].filter(
    (value) => value !== undefined && value !== '',
  );
  if (explicit.length > 1)
    throw new GlacisError(
      'option/invalid',
      'endpoint: expected one of a token, a user in the address and an authorization header, got several',
    );
  const authorization = explicit[0] ?? (fallback ? bearer(fallback) : undefined);
  const all = authorization === undefined ? own : { ...own, authorization };
  const secrets = Object.values(all).flatMap((value) => [value, ...value.split(' ').slice(1)]);
  return { headers: all, secrets: secrets.filter((secret) => secret.length >= 4) };
}

function bearer(token: string): string {
  return `Bearer ${valueFrom(token.trim(), 'token')}`;
}

function valueFrom(value: string, what: string): string {
  if (!/^[\x20-\x7e]{1,16384}$/.test(value))
    throw new GlacisError(
      'option/invalid',
      `endpoint ${what}: expected printable ASCII characters, got others (or none)`,
    );
  return value;
}
