import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/until.ts';
import {
  type LocalServer,
  localServer,
  type SigningKey,
  signingKey,
  tokenBy,
} from '../identity/tokens/issuer.fixture.ts';
import type { SessionInfo, SignInWays } from './api.ts';
import { type Browser, type ConsoleSide, consoleSide, send } from './console.fixture.ts';

/** A provider that signs everybody in as whom it is told; what it was asked stays. */
interface LocalProvider {
  readonly server: LocalServer;
  claims: Record<string, unknown>;
  /** Signs; changed to sign with another key or algorithm. */
  key: SigningKey;
  readonly right: SigningKey;
  /** Replaces the nonce of the token. */
  nonce: string | undefined;
  readonly tokenRequests: { readonly body: URLSearchParams; readonly authorization: string | undefined }[];
  /** What the browser would do there: gives the address that it is sent back to. */
  visit(url: string): string;
}

let provider: LocalProvider;
let side: ConsoleSide | undefined;
beforeAll(async () => {
  provider = await localProvider();
});
afterAll(() => provider.server.close());
afterEach(async () => {
  await side?.close();
  side = undefined;
  provider.claims = {};
  provider.key = provider.right;
  provider.nonce = undefined;
  provider.tokenRequests.length = 0;
});

const issuer = () => ({
  name: 'company',
  issuer: provider.server.url,
  algorithms: ['ES256'],
  insecureLoopback: true,
  claims: { roles: { claim: 'groups', map: { ops: 'operator', audit: 'auditor' } } },
});
const opened = async (
  over: {
    readonly oidc?: object;
    readonly issuer?: object;
    readonly record?: NonNullable<Parameters<typeof consoleSide>[0]>['record'];
  } = {},
) => {
  side = await consoleSide({
    ...(over.record && { record: over.record }),
    now: Date.now(),
    identity: { issuers: [{ ...issuer(), audience: 'models', ...over.issuer }] },
    console: {
      oidc: [
        {
          issuer: 'company',
          clientId: 'glacis',
          clientSecret: { env: 'CLIENT_SECRET' },
          scopes: ['openid', 'groups'],
          ...over.oidc,
        },
      ],
    },
  });
  return side;
};
/** Goes to the provider and comes back, as a browser does: `Strict` cookies stay away on the way back. */
const through = async (
  browser: Browser,
  change: (back: URL) => void = () => {},
  start = '/api/session/oidc/company?to=/console/cases',
) => {
  const out = await browser.ask(start, { headers: { 'sec-fetch-site': 'same-origin' } });
  const back = new URL(provider.visit(String(out.headers.location)));
  change(back);
  return browser.ask(back.pathname + back.search, { headers: { 'sec-fetch-site': 'cross-site' } });
};
const OPS = { sub: 'ann', groups: ['ops', 'everybody'] };

describe('signing in with a provider', () => {
  it('begins a session with the roles that the provider vouches for, and comes back to the page', async () => {
    const at = await opened();
    provider.claims = OPS;
    const browser = at.browser();
    expect((await browser.ask('/api/session/ways')).json<SignInWays>().oidc).toEqual([
      { name: 'company', start: '/api/session/oidc/company' },
    ]);
    const back = await through(browser);
    expect([back.status, back.headers.location]).toEqual([303, '/console/cases']);
    expect([back.headers['set-cookie']].flat()[0]).toMatch(/; HttpOnly; SameSite=Strict$/);
    const info = (await browser.ask('/api/session')).json<SessionInfo>();
    expect(info).toMatchObject({ principal: 'company:ann', roles: ['operator'] });
    browser.csrf = info.csrf;
    expect((await browser.ask('/api/act', { method: 'POST' })).status).toBe(200);
    expect(at.done).toEqual(['company:ann']);
    expect(at.events[0]).toMatchObject({
      event: 'console-signed-in',
      by: 'company:ann',
      about: { way: 'company' },
    });
    const rows = await at.store.db.selectFrom('sessions').select('claims').execute();
    expect(JSON.parse(rows[0]!.claims!)).toEqual(OPS);
  });

  it('shows the provider state, nonce and a challenge, and the verifier only with the code', async () => {
    const at = await opened();
    provider.claims = OPS;
    const browser = at.browser();
    const out = await browser.ask('/api/session/oidc/company');
    const asked = new URL(String(out.headers.location)).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: 'glacis',
      scope: 'openid groups',
      code_challenge_method: 'S256',
      redirect_uri: `${at.address}/api/session/oidc/company/callback`,
    });
    const back = new URL(provider.visit(String(out.headers.location)));
    await browser.ask(back.pathname + back.search);
    const [{ body, authorization }] = provider.tokenRequests as [LocalProvider['tokenRequests'][number]];
    expect(createHash('sha256').update(body.get('code_verifier')!).digest('base64url')).toBe(
      asked.get('code_challenge'),
    );
    expect(authorization).toMatch(/^Basic /);
    expect(JSON.stringify([out.headers, out.text])).not.toContain(body.get('code_verifier'));
  });

  it.each<[string, (at: ConsoleSide, browser: Browser) => unknown, string, ((back: URL) => void)?]>([
    ['the state is another one', () => {}, 'failed', (back) => back.searchParams.set('state', 'another')],
    ['the state is missing', () => {}, 'failed', (back) => back.searchParams.delete('state')],
    ['the code is another one', () => {}, 'failed', (back) => back.searchParams.set('code', 'another')],
    ['the nonce of the token is another one', () => (provider.nonce = 'another'), 'failed'],
    ['the token is signed with another key', () => (provider.key = signingKey('k1')), 'failed'],
    [
      'the token is signed in a way that is not pinned',
      () => (provider.key = signingKey('k1', 'RS256')),
      'failed',
    ],
    ['the token is for another client', () => (provider.claims = { ...OPS, aud: 'another' }), 'failed'],
    [
      'the token is of another issuer',
      () => (provider.claims = { ...OPS, iss: 'https://evil.example' }),
      'failed',
    ],
    ['the token has expired', () => (provider.claims = { ...OPS, exp: 1_000_000 }), 'failed'],
    [
      'the claims that name them are longer than are kept',
      () => (provider.claims = { ...OPS, groups: ['ops', 'x'.repeat(16_384)] }),
      'failed',
    ],
    ['nobody is named', () => (provider.claims = { ...OPS, sub: '' }), 'failed'],
    ['the name would confuse a log', () => (provider.claims = { ...OPS, sub: 'ann\nadmin' }), 'failed'],
    ['they have no role', () => (provider.claims = { sub: 'ann', groups: ['everybody'] }), 'no-role'],
    [
      'they were shut out',
      (at) => at.identity.keys.shutOut('company:ann', 'company', true, { id: 't', mayGrant: true }),
      'no-role',
    ],
    [
      'they said no there',
      () => {},
      'denied',
      (back) => {
        back.searchParams.delete('code');
        back.searchParams.set('error', 'access_denied');
      },
    ],
  ])('begins nothing where %s', async (_, change, problem, changeBack) => {
    const at = await opened();
    provider.claims = OPS;
    const browser = at.browser();
    await change(at, browser);
    const back = await through(browser, changeBack);
    expect([back.status, back.headers.location]).toEqual([303, `/console/#refused=${problem}`]);
    expect((await browser.ask('/api/session')).status).toBe(401);
    expect(await at.store.db.selectFrom('sessions').selectAll().execute()).toEqual([]);
    expect(JSON.stringify(at.events)).not.toMatch(/signed-in|eyJ/);
  });

  it('begins nothing in a browser that did not set out (login CSRF), nor twice, nor after ten minutes', async () => {
    const at = await opened();
    provider.claims = OPS;
    const out = await at.browser().ask('/api/session/oidc/company');
    const back = new URL(provider.visit(String(out.headers.location)));
    const victim = at.browser();
    expect((await victim.ask(back.pathname + back.search)).headers.location).toBe(
      '/console/#refused=expired',
    );
    const browser = at.browser();
    await through(browser);
    const again = at.browser();
    const late = await through(again, () => {
      at.time.now += 601_000;
    });
    expect(late.headers.location).toBe('/console/#refused=expired');
    expect([...again.jar]).toEqual([]);
  });

  it('begins nothing where too many attempts of the address have failed, on neither way', async () => {
    const at = await opened();
    provider.claims = OPS;
    const away = at.browser();
    const out = await away.ask('/api/session/oidc/company');
    for (let i = 0; i < 10; i++) await at.browser().signIn(`guess-${i}`);
    expect((await at.browser().ask('/api/session/oidc/company')).headers.location).toBe(
      '/console/#refused=throttled',
    );
    const back = new URL(provider.visit(String(out.headers.location)));
    expect((await away.ask(back.pathname + back.search)).headers.location).toBe(
      '/console/#refused=throttled',
    );
    expect(provider.tokenRequests).toEqual([]);
    expect((await away.ask('/api/session')).status).toBe(401);
  });

  it('begins nothing that cannot be written down', async () => {
    const at = await opened({
      record: async ({ event }) => {
        if (event === 'console-signed-in') throw new Error('disk full');
      },
    });
    provider.claims = OPS;
    const browser = at.browser();
    expect((await through(browser)).status).toBe(500);
    expect((await browser.ask('/api/session')).status).toBe(401);
    expect(await at.store.db.selectFrom('sessions').selectAll().execute()).toEqual([]);
  });

  it('gives no link: who it is for is signed in by the provider alone', async () => {
    const at = await opened();
    provider.claims = OPS;
    const browser = at.browser();
    await through(browser);
    browser.csrf = (await browser.ask('/api/session')).json<SessionInfo>().csrf;
    const answer = await browser.ask('/api/session/links', { method: 'POST' });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('somebody with a key')]);
    expect(await at.store.db.selectFrom('links').selectAll().execute()).toEqual([]);
  });

  it('ends where its claims name somebody else, or nobody', async () => {
    const at = await opened();
    provider.claims = OPS;
    for (const change of [{ principal: 'company:root' }, { claims: '{"groups":["ops"]}' }]) {
      const browser = at.browser();
      await through(browser);
      expect((await browser.ask('/api/session')).status).toBe(200);
      await at.store.db.updateTable('sessions').set(change).execute();
      expect((await browser.ask('/api/session')).status).toBe(401);
    }
  });

  it('comes back to a page of the console, whatever it is told', async () => {
    const at = await opened();
    provider.claims = OPS;
    for (const to of [
      'https://evil.example/',
      '//evil.example/',
      '/console//evil.example',
      '/console/../api',
      '/\\evil.example',
      'javascript:alert(1)',
      '/console/%0d%0aset-cookie:x',
    ])
      expect(
        (await through(at.browser(), undefined, `/api/session/oidc/company?to=${encodeURIComponent(to)}`))
          .headers.location,
      ).toBe('/console/');
  });

  it('has the roles of the configuration of now: a role taken away takes effect at the next call', async () => {
    const at = await opened();
    provider.claims = OPS;
    const browser = at.browser();
    await through(browser);
    const { consoleSchema } = await import('./config-schema.ts');
    const { identitySchema } = await import('../identity/config-schema.ts');
    const next = identitySchema.parse({
      issuers: [
        {
          ...issuer(),
          audience: 'models',
          claims: { roles: { claim: 'groups', map: { everybody: 'auditor' } } },
        },
      ],
    });
    const console = consoleSchema.parse({ oidc: [{ issuer: 'company', clientId: 'glacis' }] });
    (await at.console.prepare(console, next.issuers))();
    expect((await browser.ask('/api/session')).json<SessionInfo>().roles).toEqual(['auditor']);
    (await at.console.prepare(consoleSchema.parse({}), []))();
    expect((await browser.ask('/api/session')).status).toBe(401);
    (await at.console.prepare(console, next.issuers))();
    expect((await browser.ask('/api/session')).status).toBe(401);
    await expect(at.console.prepare(consoleSchema.parse({ enabled: false }), [])).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });

  it('says that it failed where the provider cannot be reached or may not be asked', async () => {
    const at = await opened({ issuer: { issuer: 'http://127.0.0.1:9', insecureLoopback: true } });
    expect((await at.browser().ask('/api/session/oidc/company')).headers.location).toBe(
      '/console/#refused=failed',
    );
    await at.close();
    const inner = await opened({ issuer: { issuer: 'https://10.0.0.1' } });
    expect((await inner.browser().ask('/api/session/oidc/company')).headers.location).toBe(
      '/console/#refused=failed',
    );
    expect(inner.failures.map(String).join()).toContain('may not be asked');
    expect((await inner.browser().ask('/api/session/oidc/nobody')).status).toBe(404);
  });

  it('ends the stream of a bare token after ten minutes: it may have been taken back', async () => {
    const at = await opened();
    const seconds = Math.floor(Date.now() / 1000);
    const token = await tokenBy(provider.right, {
      ...OPS,
      ...{ iss: provider.server.url, aud: 'models', iat: seconds, exp: seconds + 3600 },
    });
    const asked = send(at.address, '/api/events', { headers: { authorization: `Bearer ${token}` } });
    await until(() => at.console.wants('policy'));
    at.time.now += 601_000;
    const { status, text } = await asked;
    expect([status, text]).toEqual([200, expect.stringContaining('signed-out')]);
  });

  it('needs an issuer that is there, and a secret where one is named', async () => {
    await expect(opened({ oidc: { issuer: 'nobody' } })).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(opened({ oidc: { clientSecret: { env: 'NOT_THERE' } } })).rejects.toMatchObject({
      code: 'option/invalid',
      message: expect.stringContaining('NOT_THERE'),
    });
  });

  it('may be with an issuer for the console alone, as a client without a secret', async () => {
    const at = await opened({ oidc: { issuer: issuer(), clientSecret: undefined } });
    provider.claims = OPS;
    const browser = at.browser();
    await through(browser);
    expect((await browser.ask('/api/session')).status).toBe(200);
    expect(provider.tokenRequests[0]!.body.get('client_id')).toBe('glacis');
    expect(provider.tokenRequests[0]!.authorization).toBeUndefined();
  });
});

async function localProvider(): Promise<LocalProvider> {
  const server = await localServer();
  const right = signingKey('k1');
  const codes = new Map<string, URLSearchParams>();
  const local: LocalProvider = {
    server,
    right,
    key: right,
    claims: {},
    nonce: undefined,
    tokenRequests: [],
    visit(url) {
      const asked = new URL(url).searchParams;
      const code = `code-${codes.size}`;
      codes.set(code, asked);
      return `${asked.get('redirect_uri')}?code=${code}&state=${asked.get('state')}`;
    },
  };
  server.answer = async (request, response) => {
    const json = (body: unknown, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/.well-known/openid-configuration')
      return json({
        issuer: server.url,
        authorization_endpoint: `${server.url}/authorize`,
        token_endpoint: `${server.url}/token`,
        jwks_uri: `${server.url}/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256', 'RS256'],
      });
    if (request.url === '/keys') return json({ keys: [right.jwk] });
    const body = new URLSearchParams(await textOf(request));
    local.tokenRequests.push({ body, authorization: request.headers.authorization });
    const asked = codes.get(body.get('code') ?? '');
    codes.delete(body.get('code') ?? '');
    const verifier = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    if (asked === undefined || asked.get('code_challenge') !== verifier)
      return json({ error: 'invalid_grant' }, 400);
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: server.url,
      aud: 'glacis',
      iat: now,
      exp: now + 300,
      nonce: local.nonce ?? asked.get('nonce'),
      ...local.claims,
    };
    json({ access_token: 'access', token_type: 'Bearer', id_token: await tokenBy(local.key, claims) });
  };
  return local;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
