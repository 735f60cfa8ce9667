import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../../test/until.ts';
import { Refused } from '../../refusal.ts';
import { identitySchema } from '../config-schema.ts';
import { type LocalServer, localServer, rawToken, signingKey, tokenBy } from './issuer.fixture.ts';
import { openIssuer } from './open-issuer.ts';
import { openTokenVerifier, type TokenVerifier } from './token-verifier.ts';

const AT = Date.parse('2026-11-21T10:00:00Z');
const seconds = AT / 1000;
const key = signingKey('k1');
const rsa = signingKey('r1', 'RS256');
let server: LocalServer;
let verifier: TokenVerifier;
let at = AT;
let ticks = 0;
const failures: unknown[] = [];
let listed: unknown[] = [];

const CLAIMS = { iss: '', sub: 'ann', aud: 'gateway', exp: seconds + 600 };
const token = (over: object = {}, header: object = {}) =>
  tokenBy(key, { ...CLAIMS, ...over }, header as Record<string, unknown>);

async function verifierWith(over: object = {}, limits: object = {}): Promise<TokenVerifier> {
  const config = identitySchema.parse({
    issuers: [
      {
        name: 'idp',
        issuer: server.url,
        audience: 'gateway',
        algorithms: ['ES256'],
        jwks: `${server.url}/keys`,
        insecureLoopback: true,
        ...over,
      },
    ],
    tokens: limits,
  });
  const [issuer] = await Promise.all(
    config.issuers.map((each) =>
      openIssuer(each, { clock: () => ticks, failed: (_, thrown) => failures.push(thrown) }),
    ),
  );
  return openTokenVerifier([issuer!], config.tokens, { now: () => at, clock: () => ticks });
}

const outcome = async (text: string, certificate?: string, by = verifier): Promise<string> => {
  try {
    return `welcome ${(by.known(text, certificate) ?? (await by.verify(text, certificate))).id}`;
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown;
    return `${thrown.refusal}: ${thrown.because}`;
  }
};

beforeAll(async () => {
  server = await localServer();
  CLAIMS.iss = server.url;
});
afterAll(() => server.close());
beforeEach(async () => {
  at = AT;
  ticks += 1e9;
  failures.length = 0;
  server.asked.length = 0;
  listed = [key.jwk];
  server.answer = (_, response) => response.end(JSON.stringify({ keys: listed }));
  verifier = await verifierWith();
});

describe('a token', () => {
  it('is its principal: issuer and subject, a tenant, mapped roles, the scope of its issuer', async () => {
    const scope = { models: ['mnist'], operations: ['infer' as const], detail: 'topk' as const };
    const by = await verifierWith({
      claims: {
        tenant: { claim: 'org.name', map: { acme: 'Acme Ltd' } },
        roles: { claim: 'realm_access.roles', map: { 'ml-admins': 'admin', testers: 'tester' } },
      },
      scope,
    });
    const text = await token({
      org: { name: 'acme' },
      realm_access: { roles: ['testers', 'admin', 'testers', 7, 'ml-admins', '__proto__'] },
    });
    expect(await by.verify(text, undefined)).toEqual({
      id: 'idp:ann',
      tenant: 'Acme Ltd',
      credential: `${server.url} ann`,
      kind: 'token',
      roles: ['admin', 'tester'],
      scope,
    });
    expect(await outcome(await token({ org: { name: 'evil' } }), undefined, by)).toMatch('org.name');
  });

  it('is verified once; after that it takes a look-up', async () => {
    const text = await token();
    expect(verifier.known(text, undefined)).toBeUndefined();
    const first = await verifier.verify(text, undefined);
    expect(verifier.known(text, undefined)).toBe(first);
    expect(server.asked).toEqual(['/keys']);
  });

  it('is verified once by many at a time', async () => {
    const text = await token();
    const all = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(text, undefined)));
    expect(new Set(all).size).toBe(1);
    expect(server.asked).toEqual(['/keys']);
  });

  it('is remembered until it expires and no longer than is said', async () => {
    const text = await token();
    await verifier.verify(text, undefined);
    at = AT + 629_000;
    expect(verifier.known(text, undefined)).toBeDefined();
    at = AT + 631_000;
    expect(verifier.known(text, undefined)).toBeUndefined();
    expect(await outcome(text)).toMatch('ERR_JWT_EXPIRED');
    at = AT;
    await verifier.verify(text, undefined);
    ticks += 300_000;
    expect(verifier.known(text, undefined)).toBeUndefined();
  });

  it('bound to a certificate counts with that one only; bound to anything else it never does', async () => {
    const text = await token({ cnf: { 'x5t#S256': 'print' } });
    expect(await outcome(text, undefined)).toMatch('another certificate');
    expect(await outcome(text, 'other')).toMatch('another certificate');
    expect(await outcome(text, 'print')).toBe('welcome idp:ann');
    expect(verifier.known(text, 'print')).toBeDefined();
    expect(verifier.known(text, 'other')).toBeUndefined();
    expect(await outcome(await token({ cnf: { jkt: 'x' } }), 'x')).toMatch('not a certificate');
    expect(await outcome(await token({ cnf: { 'x5t#S256': 'print', jkt: 'x' } }), 'print')).toMatch(
      'not a certificate',
    );
  });
});

describe('abuse 21: a token', () => {
  it('with alg none, in any spelling, is nothing', async () => {
    for (const alg of ['none', 'None', 'NONE', '', undefined])
      for (const signature of ['', 'AAAA'])
        expect(await outcome(rawToken({ alg, kid: 'k1' }, CLAIMS, signature))).toMatch(
          /^unauthenticated: token: (?:not the form|an algorithm)/,
        );
  });

  it('signed with a public key as if it were a shared secret is nothing', async () => {
    listed = [rsa.jwk];
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
    const forged = await new SignJWT({ ...CLAIMS })
      .setProtectedHeader({ alg: 'HS256', kid: 'r1' })
      .sign(Buffer.from(pem));
    for (const algorithms of [['RS256'], ['RS256', 'ES256', 'EdDSA']])
      expect(await outcome(forged, undefined, await verifierWith({ algorithms }))).toMatch(
        'an algorithm that is not pinned',
      );
    expect(() =>
      identitySchema.parse({
        issuers: [{ name: 'x', issuer: 'https://x', audience: 'a', algorithms: ['HS256'] }],
      }),
    ).toThrow();
  });

  it('of another algorithm than the pinned one is nothing, though the issuer has such a key', async () => {
    listed = [key.jwk, rsa.jwk];
    expect(await outcome(await tokenBy(rsa, CLAIMS))).toMatch('an algorithm that is not pinned');
    expect(
      await outcome(await tokenBy(rsa, CLAIMS), undefined, await verifierWith({ algorithms: ['RS256'] })),
    ).toMatch('welcome');
  });

  it('with the kid of a key of another algorithm is nothing', async () => {
    listed = [key.jwk, rsa.jwk];
    const by = await verifierWith({ algorithms: ['RS256', 'ES256'] });
    expect(await outcome(await token({}, { kid: 'r1' }), undefined, by)).toMatch('does not list');
  });

  it('for another audience, from another issuer, or without either, is nothing', async () => {
    expect(await outcome(await token({ aud: 'other' }))).toMatch('(aud)');
    expect(await outcome(await token({ aud: ['other', 'gateway'] }))).toMatch('welcome');
    expect(await outcome(await token({ aud: undefined }))).toMatch('(aud)');
    for (const iss of [
      'https://evil.example',
      `${server.url}/`,
      server.url.toUpperCase(),
      undefined,
      7,
      [server.url],
    ])
      expect(await outcome(await token({ iss }))).toBe('unauthenticated: token: an issuer that is not known');
  });

  it('with a kid that is a path, an address, a query or no text finds no key and asks nobody for one', async () => {
    for (const kid of [
      '../../etc/passwd',
      '/dev/null',
      'https://evil.example/k',
      `${server.url}/evil`,
      "x' or 1=1",
      '__proto__',
      'constructor',
      '',
    ])
      expect(await outcome(await token({}, { kid }))).toMatch('does not list');
    for (const kid of [7, null, {}, ['k1']])
      expect(await outcome(rawToken({ alg: 'ES256', kid }, CLAIMS))).toMatch(/a kid that is no text/);
    expect(new Set(server.asked)).toEqual(new Set(['/keys']));
  });

  it('that brings its own key, or says where it is, is nothing', async () => {
    const evil = signingKey('k1');
    for (const header of [
      { jwk: evil.jwk },
      { jku: `${server.url}/evil` },
      { x5u: `${server.url}/evil` },
      { x5c: ['AAAA'] },
    ]) {
      const text = await tokenBy(evil, CLAIMS, header);
      expect(await outcome(text)).toMatch('which brings its own key');
      expect(await outcome(await token({}, header))).toMatch('which brings its own key');
    }
    expect(server.asked).not.toContain('/evil');
  });

  it('signed by somebody else, or changed in any letter, is nothing', async () => {
    expect(await outcome(await tokenBy(signingKey('k1'), CLAIMS))).toMatch('SIGNATURE');
    const text = await token();
    const [head, body, signature] = text.split('.') as [string, string, string];
    const other = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'root' })).toString('base64url');
    expect(await outcome(`${head}.${other}.${signature}`)).toMatch('SIGNATURE');
    for (const at of [0, 5, 20]) {
      const changed = signature.slice(0, at) + (signature[at] === 'A' ? 'B' : 'A') + signature.slice(at + 1);
      expect(await outcome(`${head}.${body}.${changed}`)).toMatch('SIGNATURE');
    }
  });

  it('that expired, is not valid yet, has no end, or one too far away is nothing', async () => {
    expect(await outcome(await token({ exp: seconds - 31 }))).toMatch('ERR_JWT_EXPIRED (exp)');
    expect(await outcome(await token({ exp: seconds - 29 }))).toMatch('welcome');
    expect(await outcome(await token({ nbf: seconds + 31 }))).toMatch('(nbf)');
    expect(await outcome(await token({ nbf: seconds + 29 }))).toMatch('welcome');
    expect(await outcome(await token({ nbf: 'soon' }))).toMatch('(nbf)');
    expect(await outcome(await token({ exp: undefined }))).toMatch('(exp)');
    expect(await outcome(await token({ exp: '9999999999' }))).toMatch('(exp)');
    expect(await outcome(await token({ exp: seconds + 2 * 86_400 }))).toMatch('a life longer');
    expect(await outcome(await token({ exp: seconds + 86_400 + 29 }))).toMatch('welcome');
    expect(await outcome(await token({ exp: seconds + 86_400 + 31 }))).toMatch('a life longer');
    expect(await outcome(await token({ iat: seconds + 29 }))).toMatch('welcome');
    expect(await outcome(await token({ iat: seconds + 31 }))).toMatch('a time of issue in the future');
  });

  it('remembered before its time is not known when the clock goes back', async () => {
    const text = await token({ nbf: seconds - 10 });
    await verifier.verify(text, undefined);
    at = AT - 60_000;
    expect(verifier.known(text, undefined)).toBeUndefined();
    expect(await outcome(text)).toMatch('(nbf)');
  });

  it('of 100 kB is refused before it is looked at', async () => {
    const long = await token({ filler: 'x'.repeat(100_000) });
    expect(await outcome(long)).toMatch(/token: \d{6} characters/);
    expect(server.asked).toEqual([]);
  });

  it('that is no token is refused', async () => {
    for (const text of [
      '..',
      'a.b.c',
      `${rawToken([], {})}`,
      `${rawToken({}, [])}`,
      `${rawToken('x', 'y')}`,
      'e30.e30.',
      '!.e30.e30',
      `${rawToken({ alg: 'ES256' }, CLAIMS)}.x`,
    ])
      expect(await outcome(text)).toMatch(/^unauthenticated: token: (?:not the form|an issuer|an algorithm)/);
  });

  it('with a critical header that nobody knows is nothing', async () => {
    const [, body] = (await token()).split('.') as [string, string];
    const odd = rawToken({ alg: 'ES256', kid: 'k1', crit: ['exp'], exp: 1 }, CLAIMS).split('.')[0];
    expect(await outcome(`${odd}.${body}.AAAA`)).toMatch('ERR_');
  });

  it('of another type than is said is nothing', async () => {
    const by = await verifierWith({ type: 'at+jwt' });
    expect(await outcome(await token(), undefined, by)).toMatch('(typ)');
    expect(await outcome(await token({}, { typ: 'at+jwt' }), undefined, by)).toMatch('welcome');
  });

  it('whose subject would confuse a log is nothing', async () => {
    for (const sub of [undefined, '', ' a', 'a\nb', 'a\u202eb', 7, {}, 'x'.repeat(129)])
      expect(await outcome(await token({ sub }))).toMatch(
        /a claim sub that names nobody|\(sub\)|^failed|ERR/,
      );
  });
});

describe('abuse 21: keys of an issuer', () => {
  const next = signingKey('k2');

  it('that are new are fetched when a token names them', async () => {
    expect(await outcome(await token())).toMatch('welcome');
    listed = [key.jwk, next.jwk];
    ticks += 30_000;
    expect(await outcome(await tokenBy(next, CLAIMS))).toMatch('welcome');
    expect(server.asked).toHaveLength(2);
  });

  it('are asked for once in a cooldown, however many unknown names tokens have', async () => {
    await outcome(await token());
    for (let i = 0; i < 40; i++) await outcome(await token({}, { kid: `k${100 + i}` }));
    expect(server.asked).toHaveLength(1);
    ticks += 30_000;
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => outcome(await token({}, { kid: `k${200 + i}` }))),
    );
    expect(server.asked).toHaveLength(2);
  });

  it('that are no longer listed count no more, even for a token that was verified', async () => {
    const by = await verifierWith({ fresh: '10 minutes' }, { rememberFor: '1 hour' });
    const text = await token();
    await by.verify(text, undefined);
    listed = [next.jwk];
    ticks += 600_001;
    await until(() => by.known(text, undefined) === undefined);
    expect(server.asked).toHaveLength(2);
    expect(await outcome(text, undefined, by)).toMatch('does not list');
  });

  it('hold for the grace when the issuer is gone, then none does', async () => {
    const by = await verifierWith({ fresh: '10 minutes', grace: '1 hour' }, { rememberFor: '1 second' });
    expect(await outcome(await token(), undefined, by)).toMatch('welcome');
    server.answer = (_, response) => response.writeHead(503).end();
    ticks += 3_600_000;
    expect(await outcome(await token({ n: 1 }), undefined, by)).toMatch('welcome');
    expect(failures).toHaveLength(1);
    ticks += 600_001;
    expect(await outcome(await token({ n: 2 }), undefined, by)).toMatch('unavailable: issuer idp');
    server.answer = (_, response) => response.end(JSON.stringify({ keys: listed }));
    ticks += 30_000;
    expect(await outcome(await token({ n: 3 }), undefined, by)).toMatch('welcome');
  });

  it('too old end tokens that are remembered, too', async () => {
    const by = await verifierWith({ fresh: '1 second', grace: '1 second' });
    const text = await token();
    await by.verify(text, undefined);
    server.answer = (_, response) => response.writeHead(503).end();
    ticks += 2001;
    expect(by.known(text, undefined)).toBeUndefined();
  });

  it('that never came are nobody’s fault', async () => {
    server.answer = (_, response) => response.writeHead(500).end();
    expect(await outcome(await token())).toMatch('unavailable');
  });

  it('with the same name, or several without one asked for, give no choice', async () => {
    listed = [key.jwk, { ...next.jwk, kid: 'k1' }];
    expect(await outcome(await token())).toMatch('does not list');
    listed = [key.jwk, next.jwk];
    ticks += 600_001;
    expect(await outcome(rawToken({ alg: 'ES256' }, CLAIMS))).toMatch('does not list');
    listed = [key.jwk];
    ticks += 600_001;
    expect(await outcome(await token({}, { kid: undefined }))).toMatch('welcome');
  });

  it('that are secret, private, short, for encryption, or odd are passed over', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const secret = { kty: 'oct', k: Buffer.from('secret').toString('base64url'), kid: 'k1', alg: 'HS256' };
    for (const bad of [
      secret,
      { ...key.privateKey.export({ format: 'jwk' }), kid: 'k1' },
      { ...key.jwk, use: 'enc' },
      { ...key.jwk, alg: 'RS256' },
      { ...key.jwk, key_ops: ['sign'] },
      { ...key.jwk, x: 'AAAA' },
      { ...key.jwk, kid: 7 },
      { ...weak.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256' },
      null,
      'k1',
    ]) {
      listed = [bad];
      const by = await verifierWith({ algorithms: ['ES256', 'RS256'] });
      expect(await outcome(await token(), undefined, by)).toMatch('unavailable');
      listed = [bad, key.jwk];
      expect(await outcome(await token(), undefined, await verifierWith())).toMatch('welcome');
    }
  });
});
