import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import type { Event } from '../decision.ts';
import { Refused } from '../refusal.ts';
import { type Management, openManagement } from './open-management.ts';
import { type ManagementRoute, route } from './route.ts';

let management: Management | undefined;
afterEach(async () => {
  await management?.close();
  management = undefined;
});

interface Opened {
  readonly events: Event[];
  readonly failures: unknown[];
  readonly done: unknown[];
  ask(path: string, init?: RequestInit): Promise<Response>;
}

/** A side with a reading, an act, one that fails and one that nobody signs in for. */
async function opened(over: { readonly record?: () => Promise<never> } = {}): Promise<Opened> {
  const [events, failures, done]: [Event[], unknown[], unknown[]] = [[], [], []];
  const routes: ManagementRoute[] = [
    route({
      method: 'GET',
      path: '/open',
      about: 'a',
      action: undefined,
      run: () => ({ json: { here: true } }),
    }),
    route({
      method: 'GET',
      path: '/read',
      about: 'b',
      action: 'things.read',
      run: ({ by, query }) => ({ json: [by.id, query] }),
    }),
    route<{ name: string; secretWord?: string | undefined }>({
      method: 'POST',
      path: '/things/:id/do',
      about: 'c',
      action: 'things.do',
      event: 'thing-done',
      body: z.strictObject({ name: z.string(), secretWord: z.string().optional() }),
      run(call) {
        done.push([call.params.id, call.body.name]);
        return { json: { done: true }, status: 201 };
      },
    }),
    route({
      method: 'GET',
      path: '/fails',
      about: 'd',
      action: 'things.read',
      run: () => {
        throw new Error('/a/secret/path');
      },
    }),
    route({
      method: 'GET',
      path: '/wrong',
      about: 'e',
      action: 'things.read',
      run: () => {
        throw new GlacisError('option/invalid', 'expected another name');
      },
    }),
  ];
  management = await openManagement(
    { host: '127.0.0.1', port: 0 },
    {
      routes,
      identifier: {
        identify({ authorization }) {
          if (authorization === 'Bearer ann') return { ...PRINCIPAL, id: 'ann' };
          if (authorization === 'Bearer bob') return { ...PRINCIPAL, id: 'bob' };
          throw new Refused('unauthenticated', 'no such key');
        },
      },
      allows: (principal) => principal.id === 'ann',
      record: over.record ?? (async (event) => events.push(event)),
      failed: (_where, thrown) => failures.push(thrown),
      now: () => 5,
    },
  );
  const { address } = management;
  return {
    events,
    failures,
    done,
    ask: (path, init = {}) =>
      fetch(`${address}${path}`, { ...init, headers: { authorization: 'Bearer ann', ...init.headers } }),
  };
}

const PRINCIPAL = { tenant: 't', credential: 'c', kind: 'key', roles: [] } as const;
const post = (body: unknown): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});

describe('the management side', () => {
  it('answers who has the right, and tells others nothing', async () => {
    const side = await opened();
    expect(await (await side.ask('/read?a=1&a=2')).json()).toEqual(['ann', { a: '1' }]);
    expect((await side.ask('/read', { headers: { authorization: 'Bearer nobody' } })).status).toBe(401);
    const [forbidden, absent] = await Promise.all([
      side.ask('/read', { headers: { authorization: 'Bearer bob' } }),
      side.ask('/nowhere'),
    ]);
    expect([forbidden.status, await forbidden.text()]).toEqual([404, await absent.text()]);
    expect((await side.ask('/open', { headers: { authorization: '' } })).status).toBe(200);
  });

  it('writes an act down before it is done, without secrets', async () => {
    const side = await opened();
    const answer = await side.ask('/things/7/do', post({ name: 'x', secretWord: 'hush' }));
    expect(answer.status).toBe(201);
    expect(side.done).toEqual([['7', 'x']]);
    expect(side.events).toEqual([
      { kind: 'event', at: 5, event: 'thing-done', by: 'ann', about: { id: '7', name: 'x' } },
    ]);
  });

  it('does nothing that it cannot write down', async () => {
    const side = await opened({
      record: async () => {
        throw new GlacisError('output/unwritable', 'disk full');
      },
    });
    expect((await side.ask('/things/7/do', post({ name: 'x' }))).status).toBe(409);
    expect(side.done).toEqual([]);
  });

  it.each([
    ['an unknown field', post({ name: 'x', more: 1 })],
    ['a wrong type', post({ name: 1 })],
    ['no JSON', { ...post({}), body: '{' }],
    ['__proto__', { ...post({}), body: '{"name": "x", "__proto__": {"a": 1}}' }],
    ['too much', post({ name: 'x'.repeat(2 << 20) })],
  ])('31: refuses a body with %s, and does nothing', async (_, init) => {
    const side = await opened();
    const answer = await side.ask('/things/7/do', init);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect([side.done, side.events]).toEqual([[], []]);
  });

  it('31: is no other site’s: a request under another host name is refused, and pages cannot frame or read it', async () => {
    const side = await opened();
    const url = new URL(management!.address);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(
        { host: url.hostname, port: url.port, path: '/open', headers: { host: 'evil.example' } },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      )
        .once('error', reject)
        .end();
    });
    expect(status).toBe(404);
    const { headers } = await side.ask('/open');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('says what an operator did wrong, and never what broke', async () => {
    const side = await opened();
    const wrong = await side.ask('/wrong');
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      { error: 'expected another name', code: 'option/invalid' },
    ]);
    const broken = await side.ask('/fails');
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toContain('secret');
    expect(side.failures).toHaveLength(1);
  });

  it('says where it cannot listen', async () => {
    await opened();
    const { port } = new URL(management!.address);
    const given = {
      routes: [],
      identifier: { identify: () => ({ ...PRINCIPAL, id: 'ann' }) },
      allows: () => true,
      record: async () => 0,
      failed: () => {},
      now: () => 0,
    };
    await expect(openManagement({ host: '127.0.0.1', port: Number(port) }, given)).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });
});
