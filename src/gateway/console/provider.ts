import { readFile } from 'node:fs/promises';
import * as client from 'openid-client';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { IdentityConfig } from '../identity/config-schema.ts';
import type { ClaimMapping } from '../identity/tokens/claims.ts';
import { checkedRequest, type RequestLimits } from '../outbound/checked-request.ts';
import type { ConsoleConfig } from './config-schema.ts';

/** An issuer as the console needs it: that of `serve.identity`, or one of its own. */
export type ProviderIssuer = Omit<IdentityConfig['issuers'][number], 'audience' | 'type' | 'scope'>;

/** What one sign-in must find again when the browser comes back. */
export interface Errand {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** A provider to sign in with. */
export interface Provider {
  readonly name: string;
  readonly mapping: ClaimMapping;
  /** Where to send the browser. Errors: `endpoint/unavailable`, `endpoint/bad-answer`. */
  start(redirect: string): Promise<{ readonly url: string; readonly errand: Errand }>;
  /** The claims of who came back. Errors: those of `openid-client`, `endpoint/unavailable`. */
  finish(came: URL, errand: Errand): Promise<Readonly<Record<string, unknown>>>;
}

/** What providers need from outside. */
export interface ProviderSurroundings {
  readonly issuers: IdentityConfig['issuers'];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly placeOf: (path: string) => string;
  readonly clock: () => number;
  readonly resolve?: RequestLimits['resolve'];
}

const TIMEOUT = 8000;
const MOST_BYTES = 512 << 10;
/** Milliseconds for which what a provider said about itself is believed. */
const FRESH = 600_000;

/** Opens a provider; it is asked at the first sign-in. Errors: `option/invalid`. */
export async function openProvider(
  config: ConsoleConfig['oidc'][number],
  { issuers, env, placeOf, clock, resolve }: ProviderSurroundings,
): Promise<Provider> {
  const issuer = issuerOf(config.issuer, issuers);
  const { name, claims } = issuer;
  const secret =
    config.clientSecret === undefined ? undefined : await secretOf(config.clientSecret, env, placeOf);
  const limits: RequestLimits = {
    networks: { loopback: issuer.insecureLoopback, private: issuer.privateNetwork },
    timeout: TIMEOUT,
    mostBytes: MOST_BYTES,
    ca: issuer.ca === undefined ? undefined : await read(placeOf(issuer.ca)),
    resolve,
  };
  const discover = async (): Promise<client.Configuration> => {
    const found = await client.discovery(
      new URL(issuer.issuer),
      config.clientId,
      {
        ...(issuer.algorithms.length === 1 && { id_token_signed_response_alg: issuer.algorithms[0]! }),
        [client.clockTolerance]: issuer.leeway / 1000,
      },
      secret === undefined ? client.None() : client.ClientSecretBasic(secret),
      {
        [client.customFetch]: fetchWithin(limits),
        timeout: TIMEOUT / 1000,
        execute: [
          client.enableNonRepudiationChecks,
          ...(issuer.insecureLoopback ? [client.allowInsecureRequests] : []),
        ],
      },
    );
    return found;
  };
  let known: { readonly at: number; readonly configuration: Promise<client.Configuration> } | undefined;
  const configuration = (): Promise<client.Configuration> => {
    if (known === undefined || clock() - known.at > FRESH) {
      const fresh = { at: clock(), configuration: discover() };
      known = fresh;
      fresh.configuration.catch(() => {
        if (known === fresh) known = undefined;
      });
    }
    return known.configuration;
  };
  return {
    name,
    mapping: {
      issuer: name,
      principal: claims.principal,
      tenant: claims.tenant ?? { is: name },
      roles: claims.roles,
    },
    async start(redirect) {
      const errand = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
      };
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirect,
        scope: [...new Set(['openid', ...config.scopes])].join(' '),
        code_challenge: await client.calculatePKCECodeChallenge(errand.verifier),
        code_challenge_method: 'S256',
        state: errand.state,
        nonce: errand.nonce,
      });
      return { url: url.href, errand };
    },
    async finish(came, { state, nonce, verifier }) {
      const tokens = await client.authorizationCodeGrant(await configuration(), came, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const header = JSON.parse(Buffer.from(tokens.id_token!.split('.')[0]!, 'base64url').toString()) as {
        readonly alg?: unknown;
      };
      if (!issuer.algorithms.some((each) => each === header.alg))
        throw new GlacisError(
          'endpoint/bad-answer',
          `issuer ${name}: expected a token signed with ${issuer.algorithms.join(' or ')}, got another`,
        );
      return tokens.claims()!;
    },
  };
}

function issuerOf(given: string | ProviderIssuer, issuers: IdentityConfig['issuers']): ProviderIssuer {
  if (typeof given !== 'string') return given;
  const found = issuers.find(({ name }) => name === given);
  if (found !== undefined) return found;
  throw new GlacisError(
    'option/invalid',
    `serve.console.oidc: expected the name of an issuer in serve.identity, got '${given}'`,
  );
}

/** The library's requests, over our own checked ones. */
function fetchWithin(limits: RequestLimits): client.CustomFetch {
  return async (address, { method, headers, body }) => {
    const bytes = body === undefined || body === null ? undefined : Buffer.from(String(body));
    const answer = await checkedRequest(
      new URL(address),
      { method: method === 'POST' ? 'POST' : 'GET', headers, body: bytes, what: 'an answer' },
      limits,
    );
    const type = answer.headers['content-type'];
    return new Response(answer.status === 204 || answer.status === 304 ? null : Buffer.from(answer.body), {
      status: answer.status,
      headers: type === undefined ? {} : { 'content-type': type },
    });
  };
}

async function secretOf(
  given: NonNullable<ConsoleConfig['oidc'][number]['clientSecret']>,
  env: ProviderSurroundings['env'],
  placeOf: (path: string) => string,
): Promise<string> {
  const text = 'env' in given ? env[given.env] : await read(placeOf(given.file));
  const secret = text?.trim();
  if (secret === undefined || secret === '')
    throw new GlacisError(
      'option/invalid',
      `serve.console.oidc: expected a secret in ${'env' in given ? given.env : given.file}, got none`,
    );
  return secret;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw asGlacisError(thrown, 'option/invalid', path);
  }
}
