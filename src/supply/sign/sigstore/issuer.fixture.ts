import { createHash, generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** JSON of any shape. */
export type Json = Readonly<Record<string, unknown>>;

/** An answer before it goes out. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Json | string;
}

/** What answers a path. */
export type Route = (query: URLSearchParams, body: string, request: IncomingMessage) => Answer;

/** Whom the issuer knows. */
export const PERSON = 'signer@example.org';

/** An OpenID Connect issuer below `/oidc`, as its published likes answer: codes for who shows a challenge (PKCE), tokens for codes. */
export interface TestIssuer {
  readonly routes: Readonly<Record<string, Route>>;
  /** A token that it signs. */
  token(claims?: Json): string;
  /** The claims of a token that it signed. */
  claimsIn(token: string): Json | undefined;
}

/** An issuer at `origin`; `secret` is what programs must know, where given. */
export function testIssuer(origin: () => string, secret?: string): TestIssuer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const logins = new Map<string, Readonly<Record<string, string>>>();
  const dsaEncoding = 'ieee-p1363';

  const token = (claims: Json = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const whole = {
      iss: `${origin()}/oidc`,
      aud: 'sigstore',
      iat: now,
      exp: now + 600,
      sub: '17',
      email: PERSON,
      email_verified: true,
      ...claims,
    };
    const part = (json: Json) => Buffer.from(JSON.stringify(json)).toString('base64url');
    const text = `${part({ alg: 'ES256', kid: '1', typ: 'JWT' })}.${part(whole)}`;
    const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding });
    return `${text}.${signature.toString('base64url')}`;
  };

  return {
    token,
    claimsIn(text) {
      const [head, claims = '', signature = ''] = text.split('.');
      const key = { key: publicKey, dsaEncoding } as const;
      return verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'))
        ? JSON.parse(Buffer.from(claims, 'base64url').toString())
        : undefined;
    },
    routes: {
      '/oidc/.well-known/openid-configuration': () => ({
        status: 200,
        body: {
          issuer: `${origin()}/oidc`,
          authorization_endpoint: `${origin()}/oidc/auth`,
          token_endpoint: `${origin()}/oidc/token`,
          jwks_uri: `${origin()}/oidc/keys`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['ES256'],
        },
      }),
      '/oidc/keys': () => ({
        status: 200,
        body: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'ES256', use: 'sig' }] },
      }),
      '/oidc/auth': (query) => {
        const asks = Object.fromEntries(query);
        const {
          response_type: type,
          code_challenge_method: method,
          redirect_uri: redirect,
          scope,
          state,
        } = asks;
        if (type !== 'code' || method !== 'S256' || !scope?.includes('openid'))
          return { status: 400, body: { error: 'invalid_request' } };
        const code = randomUUID();
        logins.set(code, asks);
        if (redirect?.startsWith('urn:')) return { status: 200, body: code };
        const back = new URLSearchParams({ code, state: state ?? '' });
        return { status: 302, headers: { location: `${redirect}?${back}` } };
      },
      '/oidc/token': (_, body, { headers }) => {
        const form = Object.fromEntries(new URLSearchParams(body));
        const login = logins.get(form.code ?? '');
        logins.delete(form.code ?? '');
        const own = Buffer.from(`${login?.client_id}:${secret}`).toString('base64');
        if (secret !== undefined && headers.authorization !== `Basic ${own}`)
          return { status: 401, body: { error: 'invalid_client' } };
        const challenge = createHash('sha256')
          .update(form.code_verifier ?? '')
          .digest('base64url');
        if (login?.redirect_uri !== form.redirect_uri || challenge !== login?.code_challenge)
          return { status: 400, body: { error: 'invalid_grant' } };
        const id_token = token({ aud: login.client_id, nonce: login.nonce });
        return { status: 200, body: { access_token: 'a', token_type: 'bearer', id_token } };
      },
    },
  };
}
