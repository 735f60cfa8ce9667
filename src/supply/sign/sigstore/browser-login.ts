import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as client from 'openid-client';
import { GlacisError, reasonOf } from '../../../core/error.ts';
import { exchangeOnce } from '../../../runtime/http-exchange.ts';
import { isLoopback, serviceUrl } from './services.ts';

/** With whom to log in, and as which program. */
export interface Login {
  /** The OpenID Connect issuer. */
  readonly issuer: string;
  /** What the issuer calls this program; tokens are for this audience. */
  readonly clientId: string;
  /** Only for a program that the issuer knows with a secret. */
  readonly clientSecret?: string | undefined;
  /** Do not open a browser here and do not wait for it: show the address and ask for the code that the issuer shows. */
  readonly outOfBand: boolean;
}

/** The person at the terminal. */
export interface LoginPerson {
  /** Shows a sentence, also with `--quiet`: without the address nobody can log in. */
  show(text: string): void;
  /** Opens a browser; false where there is none. */
  open(url: string): Promise<boolean>;
  /** Asks for a line. Errors: `run/cancelled`. */
  ask(question: string, signal: AbortSignal): Promise<string>;
}

/** The address that stands for "show the code" (the out-of-band way of OAuth 2.0, as Sigstore's issuers keep it). */
const OUT_OF_BAND = 'urn:ietf:wg:oauth:2.0:oob';
const CALLBACK = '/auth/callback';
const TIMEOUT = 30;
const MOST_BYTES = 1 << 20;

/**
 * The identity token of a person who logs in with a browser: authorisation code with PKCE (RFC 7636), back to an address on this machine (RFC 8252), or, out of
 * band or where no browser opens, with the code pasted. State and nonce are drawn for each login, and the token's signature is checked. Waits for the person until
 * `signal` fires. Errors: `signing/unavailable` when the issuer refuses, `option/invalid` for an address without https, `run/cancelled`.
 */
export async function browserLogin(login: Login, person: LoginPerson, signal: AbortSignal): Promise<string> {
  const { issuer, clientId, clientSecret, outOfBand } = login;
  const server = new URL(serviceUrl(issuer, '--oidc-issuer'));
  try {
    const configuration = await client.discovery(
      server,
      clientId,
      undefined,
      clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret),
      {
        [client.customFetch]: boundedFetch(signal),
        timeout: TIMEOUT,
        execute: [
          client.enableNonRepudiationChecks,
          ...(isLoopback(server) ? [client.allowInsecureRequests] : []),
        ],
      },
    );
    const errand: Errand = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
    };
    const asked = outOfBand ? undefined : await throughBrowser(configuration, errand, person, signal);
    const came = asked ?? (await throughCode(configuration, errand, person, signal));
    const tokens = await client.authorizationCodeGrant(configuration, came.url, {
      expectedState: came.withState ? errand.state : client.skipStateCheck,
      expectedNonce: errand.nonce,
      pkceCodeVerifier: errand.verifier,
      idTokenExpected: true,
    });
    return tokens.id_token!;
  } catch (thrown) {
    if (signal.aborted) throw new GlacisError('run/cancelled', 'login: cancelled', { cause: signal.reason });
    if (thrown instanceof GlacisError) throw thrown;
    // No cause: the library's errors hold what was sent and what came.
    throw new GlacisError('signing/unavailable', `login at ${server.origin}: ${wordsOf(thrown)}`);
  }
}

/** What one login must find again. */
interface Errand {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** The address at which the person came back. */
interface Came {
  readonly url: URL;
  /** A pasted code comes without the state. What it is good for, the verifier of PKCE still says. */
  readonly withState: boolean;
}

async function addressFor(
  configuration: client.Configuration,
  redirect: string,
  { state, nonce, verifier }: Errand,
): Promise<string> {
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: redirect,
    scope: 'openid email',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  });
  return url.href;
}

/** `undefined` where no browser opens. */
async function throughBrowser(
  configuration: client.Configuration,
  errand: Errand,
  { open, show }: LoginPerson,
  signal: AbortSignal,
): Promise<Came | undefined> {
  const { redirect, came, close } = await awaitReturn(errand.state, signal);
  try {
    const address = await addressFor(configuration, redirect, errand);
    if (!(await open(address))) return undefined;
    show(`Log in with the browser that has opened; if none has, go to:\n\n  ${address}\n`);
    return { url: await came, withState: true };
  } finally {
    close();
  }
}

async function throughCode(
  configuration: client.Configuration,
  errand: Errand,
  { ask, show }: LoginPerson,
  signal: AbortSignal,
): Promise<Came> {
  show(
    `Go to this address, log in, and bring the code back:\n\n  ${await addressFor(configuration, OUT_OF_BAND, errand)}\n`,
  );
  const code = (await ask('Code: ', signal)).trim();
  if (code === '') throw new GlacisError('option/invalid', 'login: expected a code, got nothing');
  return { url: new URL(`${OUT_OF_BAND}?${new URLSearchParams({ code })}`), withState: false };
}

/**
 * A server on this machine that waits for the browser to come back with `state`. Who comes with another, such as a page that guesses the port, is turned away, and
 * it goes on waiting.
 */
async function awaitReturn(state: string, signal: AbortSignal) {
  const { promise: came, resolve, reject } = Promise.withResolvers<URL>();
  const server: Server = createServer((request, response) => {
    const url = URL.parse(request.url ?? '', origin());
    const good =
      request.method === 'GET' && url?.pathname === CALLBACK && url.searchParams.get('state') === state;
    answer(request, response, good);
    // Only when the page has gone out, because the server ends with the login.
    if (good) response.once('close', () => resolve(url));
  });
  server.headersTimeout = 5000;
  const origin = () => `http://localhost:${(server.address() as AddressInfo).port}`;
  const cancel = () => reject(new GlacisError('run/cancelled', 'login: cancelled', { cause: signal.reason }));
  signal.addEventListener('abort', cancel, { once: true });
  // Nobody may be waiting yet, or any more.
  came.catch(() => undefined);
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', listening);
  });
  return {
    // `localhost` and not 127.0.0.1, because that is what Sigstore's issuers take of programs that they do not know.
    redirect: `${origin()}${CALLBACK}`,
    came,
    close() {
      signal.removeEventListener('abort', cancel);
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, good: boolean): void {
  request.resume();
  response.writeHead(good ? 200 : 404, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'",
    connection: 'close',
  });
  response.end(good ? 'You may close this page and go back to the terminal.\n' : 'Nothing here.\n');
}

/** The library's requests over our own bounded ones. */
function boundedFetch(signal: AbortSignal): client.CustomFetch {
  return async (url, options) => {
    const bytes =
      options.body === undefined || options.body === null ? undefined : Buffer.from(String(options.body));
    const { status, headers, body } = await exchangeOnce(
      {
        method: options.method === 'POST' ? 'POST' : 'GET',
        url,
        headers: options.headers,
        ...(bytes && { body: new Uint8Array(bytes) }),
        maxBytes: MOST_BYTES,
      },
      `login at ${new URL(url).origin}`,
      options.signal ? AbortSignal.any([signal, options.signal]) : signal,
    );
    const type = headers.get('content-type');
    const empty = status === 204 || status === 304;
    return new Response(empty ? null : Buffer.from(body), {
      status,
      headers: type === null ? {} : { 'content-type': type },
    });
  };
}

/** What went wrong, in the issuer's words where it has said so, else in those of the innermost error, which are the plainest. */
function wordsOf(thrown: unknown): string {
  const { error, error_description: description } = thrown as Partial<Record<string, unknown>>;
  const said = [error, description].filter((word) => typeof word === 'string').join(': ');
  let inner = thrown;
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) inner = cause;
  return `expected an identity token, got ${(said || reasonOf(inner)).slice(0, 300).replace(/\s+/g, ' ')}`;
}
