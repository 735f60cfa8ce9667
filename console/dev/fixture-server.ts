import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LiveEvent, SessionInfo, SignInWays } from '../../src/gateway/console/api.ts';
import { openPages } from '../../src/gateway/console/pages.ts';
import { MANAGEMENT_ACTIONS } from '../../src/gateway/identity/management.ts';
import { FIXTURES } from './fixtures.ts';
import { withBehind } from './hostile.ts';
import { tick, worldOf } from './live-world.ts';
import type { World } from './world.ts';

/** What a fixture answers to: a method, a path with `:names`, and what comes of it. `undefined` is 404; a thrown {@link Refusal} is what it says. */
export interface Fixture {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  run(call: FixtureCall): unknown;
}

/** A question to a fixture. */
export interface FixtureCall {
  readonly world: World;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly by: string;
}

/** Thrown by a fixture: an answer that is none of 200. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Text or bytes instead of JSON. */
export interface Plain {
  readonly plain: string | Uint8Array;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string | string[]>> | undefined;
}

/** A gateway's management side as the console sees it, with made-up data: for work on the pages, and for tests of them. */
export interface FixtureServer {
  readonly url: string;
  readonly world: World;
  /** What was asked with POST, in order. */
  readonly acts: readonly { readonly path: string; readonly body: unknown; readonly by: string }[];
  /** Ends all streams of events, as a gateway that restarts does; `for` milliseconds it takes none. */
  breakStreams(forMilliseconds: number): void;
  /** Ends the session of everybody. */
  signOut(): void;
  /** Makes questions fail with this status until it is undefined. */
  fail(status: number | undefined): void;
  close(): Promise<void>;
}

/** How it behaves. */
export interface FixtureOptions {
  readonly port?: number;
  readonly seed?: number;
  /** A gateway that has just begun: nothing happened yet. */
  readonly empty?: boolean;
  /** Nobody is signed in. */
  readonly signedOut?: boolean;
  /** Actions that whoever is signed in may not do. */
  readonly without?: readonly string[];
  /** Milliseconds between two events of traffic; 0: none. */
  readonly pace?: number;
  readonly now?: () => number;
  /** Answers that come before the made-up ones: those of real parts, where a page is to meet them. */
  readonly more?: readonly Fixture[];
  /** Stands behind every text of an answer that callers, operators or models may have chosen, and is taken off again from what is asked. */
  readonly behind?: string;
}

const DIST = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const COOKIE = 'fixture=1; Path=/; HttpOnly; SameSite=Strict';

/** Opens it on the loopback interface. The pages are those in console/dist. */
export async function openFixture(options: FixtureOptions = {}): Promise<FixtureServer> {
  const {
    port = 0,
    seed = 1,
    empty = false,
    signedOut = false,
    without = [],
    pace = 1000,
    now = Date.now,
    more = [],
    behind = '',
  } = options;
  const streams = new Set<ServerResponse>();
  const publish = (event: LiveEvent): void => {
    for (const each of streams) each.write(`data: ${JSON.stringify(event)}\n\n`);
  };
  const world = worldOf({ seed, empty, now, publish });
  const pages = openPages(DIST);
  const acts: { path: string; body: unknown; by: string }[] = [];
  let isOut = signedOut;
  let failing: number | undefined;
  let closedUntil = 0;
  const session: SessionInfo = {
    principal: 'ada',
    roles: ['operator', 'reviewer', 'auditor'],
    may: Object.keys(MANAGEMENT_ACTIONS).filter((action) => !without.includes(action)),
    csrf: 'token-of-the-fixture',
    ends: now() + 3_600_000,
    demo: true,
  };
  const server = createServer((request, response) => {
    void answer(request, response).catch((thrown: unknown) => {
      const status = thrown instanceof Refusal ? thrown.status : 500;
      if (!response.headersSent)
        send(response, status, { error: thrown instanceof Error ? thrown.message : String(thrown) });
    });
  });
  /** What was asked, as if names were without what stands behind them. */
  const meant = (asked: string): string => asked.replaceAll(encodeURIComponent(behind), '');
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(meant(request.url ?? '/'), 'http://fixture');
    const { pathname } = url;
    if (pathname === '/' || pathname === '/console') {
      response.writeHead(302, { location: '/console/' }).end();
      return;
    }
    if (pathname.startsWith('/console/'))
      return sendPage(request, response, pathname.slice('/console/'.length));
    if (!pathname.startsWith('/api/')) throw new Refusal(404, 'no such path');
    if (failing !== undefined && !pathname.startsWith('/api/session'))
      throw new Refusal(failing, 'the fixture fails on purpose');
    const body = request.method === 'GET' ? {} : await bodyOf(request);
    if (pathname === '/api/session/ways') {
      return send(response, 200, {
        oidc: [{ name: 'Example ID', start: '/api/session/oidc/example' }],
        demo: true,
      } satisfies SignInWays);
    }
    if (pathname === '/api/session/link') {
      if ((body as { link?: string }).link !== 'good-link') throw new Refusal(401, 'no such link');
      isOut = false;
      response.setHeader('set-cookie', COOKIE);
      return send(response, 200, { signedIn: true });
    }
    if (isOut) throw new Refusal(401, 'valid credentials are required');
    if (request.method !== 'GET' && request.headers['x-glacis-csrf'] !== session.csrf)
      throw new Refusal(403, 'the proof against forged requests is missing');
    if (pathname === '/api/session') return send(response, 200, session);
    if (pathname === '/api/session/end') {
      isOut = true;
      return send(response, 200, { signedOut: true });
    }
    if (pathname === '/api/events') return follow(response);
    if (request.method !== 'GET') acts.push({ path: pathname, body, by: session.principal });
    for (const fixture of [...more, ...FIXTURES]) {
      const params = fixture.method === request.method ? match(fixture.path, pathname) : undefined;
      if (params === undefined) continue;
      const found = await fixture.run({
        world,
        params,
        query: Object.fromEntries(url.searchParams),
        body,
        by: session.principal,
      });
      if (found === undefined) break;
      return isPlain(found)
        ? void response.writeHead(200, { 'content-type': found.type, ...found.headers }).end(found.plain)
        : send(response, 200, behind === '' ? found : withBehind(found, behind));
    }
    throw new Refusal(404, 'there is no such thing');
  };
  const sendPage = async (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ): Promise<void> => {
    const found = await pages.at(path, request.headers['accept-encoding'] as string | undefined);
    if (!('bytes' in found)) throw new Refusal(404, 'no such file');
    response
      .writeHead(found.status ?? 200, {
        'content-type': found.type,
        'x-content-type-options': 'nosniff',
        ...(found as { headers?: Record<string, string> }).headers,
      })
      .end(found.bytes);
  };
  const follow = (response: ServerResponse): void => {
    if (now() < closedUntil) throw new Refusal(503, 'not now');
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': hello\n\n');
    streams.add(response);
    response.once('close', () => streams.delete(response));
  };
  const timer = pace > 0 && !empty ? setInterval(() => tick(world), pace) : undefined;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    world,
    acts,
    breakStreams(forMilliseconds) {
      closedUntil = now() + forMilliseconds;
      for (const each of streams) each.destroy();
    },
    signOut() {
      isOut = true;
      publish({ kind: 'signed-out' });
    },
    fail(status) {
      failing = status;
    },
    close: () => {
      clearInterval(timer);
      for (const each of streams) each.destroy();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function match(path: string, given: string): Readonly<Record<string, string>> | undefined {
  const [wanted, parts] = [path.split('/'), given.split('/')];
  if (wanted.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, want] of wanted.entries()) {
    if (want.startsWith(':')) params[want.slice(1)] = decodeURIComponent(parts[i]!);
    else if (want !== parts[i]) return undefined;
  }
  return params;
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function isPlain(found: unknown): found is Plain {
  return typeof found === 'object' && found !== null && 'plain' in found;
}

function send(response: ServerResponse, status: number, json: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(json));
}
