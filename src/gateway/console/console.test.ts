import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { SessionInfo } from './api.ts';
import { type ConsoleSide, consoleSide, send } from './console.fixture.ts';
import { CONSOLE_POLICY } from './pages.ts';

let side: ConsoleSide | undefined;
afterEach(async () => {
  await side?.close();
  side = undefined;
});
const opened = async (over: Parameters<typeof consoleSide>[0] = {}): Promise<ConsoleSide> => {
  side = await consoleSide(over);
  return side;
};
/** One side for tests that leave nothing behind for each other. */
let common: ConsoleSide | undefined;
afterAll(() => common?.close());
const shared = async (): Promise<ConsoleSide> => {
  common ??= await consoleSide();
  common.done.length = 0;
  return common;
};
/** A browser in which ann, an operator, is signed in. */
const signedIn = async (at: ConsoleSide, roles: readonly string[] = ['operator'], name = 'ann') => {
  const key = await at.key(name, roles);
  const browser = at.browser();
  expect((await browser.signIn(await at.link(key.text))).status).toBe(200);
  return { browser, key };
};

describe('signing in with a link', () => {
  it('works once, says who it is and what they may do, and is written down', async () => {
    const at = await opened();
    const key = await at.key('ann', ['operator']);
    const link = await at.link(key.text);
    const browser = at.browser();
    expect((await browser.signIn(link)).json()).toEqual({ signedIn: true });
    const info = (await browser.ask('/api/session')).json<SessionInfo>();
    expect(info).toMatchObject({ principal: 'ann', roles: ['operator'], demo: false });
    expect(info.may).toContain('models.rollback');
    expect(info.may).not.toContain('reviews.decide');
    expect((await at.browser().signIn(link)).status).toBe(401);
    expect(at.events.map(({ event, by }) => [event, by])).toEqual([
      ['console-link-made', 'ann'],
      ['console-signed-in', 'ann'],
      ['console-refused', 'nobody'],
    ]);
    expect(JSON.stringify(at.events)).not.toContain(link);
  });

  it('gives one session to many who bring the same link at once', async () => {
    const at = await opened();
    const link = await at.link((await at.key('ann', ['operator'])).text);
    const statuses = await Promise.all(
      Array.from({ length: 8 }, async () => (await at.browser().signIn(link)).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  });

  it.each([
    [
      'after ten minutes',
      async (at: ConsoleSide) => {
        at.time.now += 600_000;
      },
    ],
    [
      'when the key was revoked',
      async (at: ConsoleSide, id: string) => at.identity.keys.revoke(id, { id: 'test', mayGrant: true }),
    ],
    [
      'when its owner was shut out',
      async (at: ConsoleSide) =>
        at.identity.keys.shutOut('ann', 'acme', true, { id: 'test', mayGrant: true }),
    ],
  ])('fails %s', async (_, change) => {
    const at = await opened();
    const key = await at.key('ann', ['operator']);
    const link = await at.link(key.text);
    await change(at, key.id);
    expect((await at.browser().signIn(link)).status).toBe(401);
    expect(at.events.at(-1)).toMatchObject({ event: 'console-refused' });
  });

  it('is refused to who has no role, and nothing begins that cannot be written down', async () => {
    const at = await opened();
    const key = await at.key('bob', []);
    const answer = await send(at.address, '/api/session/links', {
      method: 'POST',
      headers: { authorization: `Bearer ${key.text}` },
    });
    expect(answer.status).toBe(404);
    await at.close();
    const full = await opened({
      record: async ({ event }) => {
        if (event === 'console-signed-in') throw new Error('disk full');
      },
    });
    const { text } = await full.key('ann', ['operator']);
    const browser = full.browser();
    expect((await browser.signIn(await full.link(text))).status).toBe(500);
    expect(browser.jar.size).toBe(0);
  });

  it('cannot be tried without end', async () => {
    const at = await opened();
    const statuses: number[] = [];
    for (let i = 0; i < 14; i++) statuses.push((await at.browser().signIn(`guess-${i}`)).status);
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.slice(10)).toEqual(Array(4).fill(429));
    at.time.now += 60_000;
    expect((await at.browser().signIn('guess')).status).toBe(401);
    expect(at.events.filter(({ event }) => event === 'console-refused').length).toBe(11);
  });
});

describe('a session', () => {
  it('stands in a cookie that scripts and other sites cannot use', async () => {
    const at = await opened();
    const answer = await at.browser().signIn(await at.link((await at.key('ann', ['operator'])).text));
    const { port } = new URL(at.address);
    const [cookie] = answer.headers['set-cookie'] as string[];
    expect(cookie).toMatch(
      new RegExp(`^glacis-${port}=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Strict$`),
    );
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('is bound to its host by name where there is TLS, or a proxy that has it', async () => {
    const at = await opened({ console: { address: 'https://glacis.example.org' } });
    const link = await at.link((await at.key('ann', ['operator'])).text);
    const headers = {
      host: 'glacis.example.org',
      origin: 'https://glacis.example.org',
      'x-glacis-csrf': '1',
      'sec-fetch-site': 'same-origin',
    };
    const answer = await send(at.address, '/api/session/link', { method: 'POST', body: { link }, headers });
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^__Host-glacis=[A-Za-z0-9_-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/),
    ]);
  });

  it('is kept as a hash: who reads the store cannot be anybody', async () => {
    const at = await opened();
    const { browser } = await signedIn(at);
    const rows = JSON.stringify([
      await at.store.db.selectFrom('sessions').selectAll().execute(),
      await at.store.db.selectFrom('links').selectAll().execute(),
    ]);
    expect(rows).not.toContain([...browser.jar.values()][0]);
  });

  it('stolen after sign-out is dead, also where it was stolen before', async () => {
    const at = await opened();
    const { browser } = await signedIn(at);
    const thief = at.browser();
    for (const [name, value] of browser.jar) thief.jar.set(name, value);
    thief.csrf = browser.csrf;
    expect((await thief.ask('/api/session')).status).toBe(200);
    const out = await browser.ask('/api/session/end', { method: 'POST', body: {} });
    expect([out.status, browser.jar.size]).toEqual([200, 0]);
    expect((await thief.ask('/api/session')).status).toBe(401);
    expect((await thief.ask('/api/act', { method: 'POST' })).status).toBe(401);
    expect(at.done).toEqual([]);
    expect(at.events.at(-1)).toMatchObject({ event: 'console-signed-out', by: 'ann' });
  });

  it('is never one that somebody else chose (fixation)', async () => {
    const at = await opened();
    const browser = at.browser();
    const { port } = new URL(at.address);
    const chosen = 'A'.repeat(43);
    browser.jar.set(`glacis-${port}`, chosen);
    await browser.signIn(await at.link((await at.key('ann', ['operator'])).text));
    expect(browser.jar.get(`glacis-${port}`)).not.toBe(chosen);
    const attacker = at.browser();
    attacker.jar.set(`glacis-${port}`, chosen);
    expect((await attacker.ask('/api/session')).status).toBe(401);
  });

  it('that was there before ends when somebody signs in anew', async () => {
    const at = await opened();
    const { browser, key } = await signedIn(at);
    const before = new Map(browser.jar);
    await browser.signIn(await at.link(key.text));
    const old = at.browser();
    for (const [name, value] of before) old.jar.set(name, value);
    expect((await old.ask('/api/session')).status).toBe(401);
    expect((await browser.ask('/api/session')).status).toBe(200);
  });

  it('ends when nothing is asked for half an hour, and after twelve hours whatever is asked', async () => {
    const at = await opened();
    const { browser } = await signedIn(at);
    for (let minutes = 0; minutes < 700; minutes += 25) {
      at.time.now += 25 * 60_000;
      expect((await browser.ask('/api/session')).status).toBe(200);
    }
    at.time.now += 20 * 60_000;
    expect((await browser.ask('/api/session')).status).toBe(401);
    const idle = (await signedIn(at, ['operator'], 'ben')).browser;
    for (let minutes = 0; minutes < 31; minutes++) {
      // What its page asks by itself keeps nothing alive.
      at.time.now += 60_000;
      await idle.ask('/api/session', { headers: { 'x-glacis-idle': '1' } });
    }
    expect((await idle.ask('/api/session')).status).toBe(401);
  });

  it('of a person is one of eight: the oldest ends', async () => {
    const at = await opened();
    const key = await at.key('ann', ['operator']);
    const browsers = [];
    for (let i = 0; i < 9; i++) {
      const browser = at.browser();
      await browser.signIn(await at.link(key.text));
      browsers.push(browser);
      at.time.now += 1000;
    }
    const statuses = await Promise.all(browsers.map(async (each) => (await each.ask('/api/session')).status));
    expect(statuses).toEqual([401, ...Array(8).fill(200)]);
  });

  it('ends in every browser where that is asked for, and where an operator says so', async () => {
    const at = await opened();
    const { browser, key } = await signedIn(at, ['admin']);
    const other = at.browser();
    await other.signIn(await at.link(key.text));
    await browser.ask('/api/session/end', { method: 'POST', body: { all: true } });
    expect((await other.ask('/api/session')).status).toBe(401);

    const { browser: admin } = await signedIn(at, ['admin'], 'root');
    const { browser: ben } = await signedIn(at, ['auditor'], 'ben');
    const list = (await admin.ask('/api/sessions')).json<{ name: string; principal: string }[]>();
    expect(list.map(({ principal }) => principal).sort()).toEqual(['ben', 'root']);
    const { name } = list.find(({ principal }) => principal === 'ben')!;
    expect((await ben.ask(`/api/sessions/${name}/end`, { method: 'POST' })).status).toBe(404);
    const nobody = await admin.ask('/api/sessions/nobody/end', { method: 'POST' });
    expect([nobody.status, nobody.text]).toEqual([404, expect.stringContaining('no such session')]);
    expect((await admin.ask(`/api/sessions/${name}/end`, { method: 'POST' })).status).toBe(200);
    expect((await ben.ask('/api/session')).status).toBe(401);
  });

  it('whose key is somebody else’s by now is nobody’s', async () => {
    const at = await opened();
    const { browser } = await signedIn(at);
    await at.store.db.updateTable('sessions').set({ principal: 'root' }).execute();
    expect((await browser.ask('/api/act', { method: 'POST' })).status).toBe(401);
    expect(at.done).toEqual([]);
  });

  it('has the rights of now: a key revoked, its owner shut out, a role gone in the middle', async () => {
    const at = await opened();
    const { browser, key } = await signedIn(at);
    expect((await browser.ask('/api/act', { method: 'POST' })).status).toBe(200);
    const { browser: ben } = await signedIn(at, ['operator'], 'ben');
    await at.identity.keys.revoke(key.id, { id: 'test', mayGrant: true });
    expect((await browser.ask('/api/act', { method: 'POST' })).status).toBe(401);
    await at.identity.keys.shutOut('ben', 'acme', true, { id: 'test', mayGrant: true });
    expect((await ben.ask('/api/act', { method: 'POST' })).status).toBe(401);
    // Let in again, one still has to sign in again.
    await at.identity.keys.shutOut('ben', 'acme', false, { id: 'test', mayGrant: true });
    expect((await ben.ask('/api/act', { method: 'POST' })).status).toBe(401);
    expect(at.done).toEqual(['ann']);
  });
});

describe('abuse 31: a request that another site makes', () => {
  const foreign = 'https://evil.example';
  it.each([
    ['from another origin', { origin: foreign, 'sec-fetch-site': 'cross-site' }],
    [
      'from another origin, in a browser without Sec-Fetch-Site',
      { origin: foreign, 'sec-fetch-site': undefined },
    ],
    ['from another port of this machine', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
    ['from the same host over another scheme', { origin: 'https://127.0.0.1', 'sec-fetch-site': undefined }],
    ['from a page without an origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['that does not say where it is from', { origin: undefined, 'sec-fetch-site': undefined }],
    ['without the token', { 'x-glacis-csrf': undefined }],
    ['with another token', { 'x-glacis-csrf': 'B'.repeat(43) }],
    ['with an empty token', { 'x-glacis-csrf': '' }],
  ])('%s changes nothing', async (_, headers) => {
    const at = await shared();
    const { browser } = await signedIn(at);
    const answer = await browser.ask('/api/act', { method: 'POST', headers });
    expect(answer.status).toBe(400);
    expect((await browser.ask('/api/session/end', { method: 'POST', body: {}, headers })).status).toBe(400);
    expect(at.done).toEqual([]);
    expect((await browser.ask('/api/session')).status).toBe(200);
  });

  it('with the token of another session changes nothing', async () => {
    const at = await shared();
    const { browser } = await signedIn(at);
    const { browser: mallory } = await signedIn(at, ['operator'], 'mallory');
    expect(
      (await browser.ask('/api/act', { method: 'POST', headers: { 'x-glacis-csrf': mallory.csrf } })).status,
    ).toBe(400);
  });

  it('cannot sign anybody in as somebody else', async () => {
    const at = await shared();
    const link = await at.link((await at.key('mallory', ['operator'])).text);
    const browser = at.browser();
    for (const headers of [
      { origin: foreign },
      { 'x-glacis-csrf': undefined },
      { 'sec-fetch-site': 'cross-site' },
    ])
      expect(
        (await browser.ask('/api/session/link', { method: 'POST', body: { link }, headers })).status,
      ).toBe(400);
    expect(browser.jar.size).toBe(0);
  });

  it('reads nothing, and learns nothing', async () => {
    const at = await shared();
    const { browser } = await signedIn(at);
    const answer = await browser.ask('/api/session', { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(answer.status).toBe(400);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(
      (
        await browser.ask('/api/session', {
          method: 'OPTIONS',
          headers: { origin: foreign, 'access-control-request-method': 'POST' },
        })
      ).status,
    ).toBe(400);
  });

  it('under another name of this machine (DNS rebinding) gets nothing', async () => {
    const at = await shared();
    const { browser } = await signedIn(at);
    for (const host of [
      'evil.example',
      'evil.example:8082',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
    ])
      for (const path of ['/api/session', '/console/', '/api/events'])
        expect((await browser.ask(path, { headers: { host } })).status).toBe(404);
  });

  it('with a key works without a token, because no other site has the key', async () => {
    const at = await shared();
    const { text } = await at.key('ann', ['operator']);
    const headers = { authorization: `Bearer ${text}` };
    expect((await send(at.address, '/api/act', { method: 'POST', headers })).status).toBe(200);
    expect(
      (await send(at.address, '/api/act', { method: 'POST', headers: { ...headers, origin: foreign } }))
        .status,
    ).toBe(400);
    expect(at.done).toEqual(['ann']);
  });

  it('with a wrong key is not helped by a cookie', async () => {
    const at = await shared();
    const { browser } = await signedIn(at);
    expect((await browser.ask('/api/session', { headers: { authorization: 'Bearer wrong' } })).status).toBe(
      401,
    );
  });

  it('with two cookies of one name, of which one was put there, is nobody’s', async () => {
    const at = await shared();
    const { browser } = await signedIn(at);
    const [[name, value]] = [...browser.jar] as [[string, string]];
    expect(
      (
        await browser.ask('/api/session', {
          headers: { cookie: `${name}=${'A'.repeat(43)}; ${name}=${value}` },
        })
      ).status,
    ).toBe(401);
  });
});

describe('abuse 31: every answer', () => {
  const paths = [
    '/',
    '/console/',
    '/console/cases/C-2026-0007',
    '/console/assets/console-0a1b2c3d.js',
    '/console/nothing.js',
    '/api/session',
    '/api/session/ways',
    '/api/events',
    '/nowhere',
    '/api/act',
  ];
  it('says that nothing may frame, sniff or run beside it', async () => {
    const at = await shared();
    for (const path of paths) {
      const { headers } = await send(at.address, path, {});
      expect(headers['content-security-policy'], path).toContain("default-src 'none'");
      expect(headers['content-security-policy'], path).toContain("frame-ancestors 'none'");
      expect(headers['content-security-policy'], path).not.toContain('unsafe');
      expect(headers['x-frame-options'], path).toBe('DENY');
      expect(headers['x-content-type-options'], path).toBe('nosniff');
      expect(headers['referrer-policy'], path).toBe('no-referrer');
      expect(headers['cross-origin-opener-policy'], path).toBe('same-origin');
    }
  });

  it('is kept only where its name changes with its content', async () => {
    const at = await shared();
    const cached = async (path: string) => (await send(at.address, path, {})).headers['cache-control'];
    expect(await cached('/console/assets/console-0a1b2c3d.js')).toBe('public, max-age=31536000, immutable');
    expect(await cached('/console/')).toBe('no-cache');
    expect(await cached('/api/session')).toBe('no-store');
    expect(await cached('/console/nothing.js')).toBe('no-store');
  });
});

describe('a console that is switched off', () => {
  it('serves no pages and knows no sessions; the rest of the management side works', async () => {
    const at = await opened({ console: { enabled: false } });
    const { text } = await at.key('ann', ['operator']);
    const headers = { authorization: `Bearer ${text}` };
    expect((await send(at.address, '/api/act', { method: 'POST', headers })).status).toBe(200);
    for (const path of ['/console/', '/', '/api/session', '/api/session/ways', '/api/events'])
      expect((await send(at.address, path, { headers })).status).toBe(404);
  });
});

describe('the pages', () => {
  it('are there without signing in, compressed ahead, under a policy without inline code', async () => {
    const at = await shared();
    const page = await send(at.address, '/console/', {});
    expect([page.status, page.headers['content-type'], page.headers['content-security-policy']]).toEqual([
      200,
      'text/html; charset=utf-8',
      CONSOLE_POLICY,
    ]);
    expect((await send(at.address, '/console/drift', {})).text).toBe(page.text);
    expect((await send(at.address, '/console/traffic/ann.smith%40example.org', {})).text).toBe(page.text);
    expect((await send(at.address, '/', {})).headers.location).toBe('/console/');
    const script = async (accept: string) => {
      const { headers, text } = await send(at.address, '/console/assets/console-0a1b2c3d.js', {
        headers: { 'accept-encoding': accept },
      });
      return [headers['content-encoding'], text, headers['content-type'], headers.vary];
    };
    const type = 'text/javascript; charset=utf-8';
    expect(await script('gzip, br')).toEqual(['br', 'brotli', type, 'accept-encoding']);
    expect(await script('gzip, br;q=0')).toEqual(['gzip', 'gzip', type, 'accept-encoding']);
    expect(await script('identity')).toEqual([undefined, 'export {};\n', type, 'accept-encoding']);
  });

  it.each([
    '/console/../secret.txt',
    '/console/..%2fsecret.txt',
    '/console/%2e%2e/secret.txt',
    '/console/%2e%2e%2fsecret.txt',
    '/console/..%5csecret.txt',
    '/console/assets/../../secret.txt',
    '/console//etc/passwd.txt',
    '/console/%00.js',
    '/console/__proto__.js',
    '/console/index.html%00.js',
  ])('%s leads nowhere', async (path) => {
    const at = await shared();
    const answer = await send(at.address, path, {});
    expect(answer.text).not.toContain('not for anybody');
    expect([400, 404]).toContain(answer.status);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'])(
    'take no %s, and no header makes a GET of it',
    async (method) => {
      const at = await shared();
      const { browser } = await signedIn(at);
      for (const path of ['/console/', '/api/session', '/api/events']) {
        const { status } = await browser.ask(path, { method, headers: { 'x-http-method-override': 'GET' } });
        expect([404, 405, 400]).toContain(status);
      }
      expect(
        (
          await browser.ask('/api/act', {
            headers: { 'x-http-method-override': 'POST', 'x-method-override': 'POST' },
          })
        ).status,
      ).toBe(404);
      expect((await browser.ask('/api/act?_method=POST')).status).toBe(404);
      expect(at.done).toEqual([]);
    },
  );
});
