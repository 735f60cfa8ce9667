import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '../../store/index.ts';
import type { Event } from '../decision.ts';
import { identitySchema, rightsSchema } from '../identity/config-schema.ts';
import { databaseKeys } from '../identity/keys/database-keys.ts';
import { openManagementRights } from '../identity/management.ts';
import { type Identity, openIdentity } from '../identity/open-identity.ts';
import { type Management, openManagement } from '../manage/open-management.ts';
import { type ManagementRoute, route } from '../manage/route.ts';
import { consoleSchema } from './config-schema.ts';
import { type Console, openConsole } from './open-console.ts';

/** A management side with a console, on a port of this machine, with a clock that the test moves. */
export interface ConsoleSide {
  readonly address: string;
  /** A folder as a server has it: its store is in it. */
  readonly folder: string;
  readonly console: Console;
  readonly identity: Identity;
  readonly store: Store;
  readonly management: Management;
  readonly events: Event[];
  readonly failures: unknown[];
  /** What acts were done, by whom. */
  readonly done: string[];
  /** Milliseconds since 1970. */
  time: { now: number };
  /** The text and id of a fresh key of somebody with these roles. */
  key(principal: string, roles: readonly string[]): Promise<{ readonly text: string; readonly id: string }>;
  /** A one-time link of that key's owner. */
  link(key: string): Promise<string>;
  /** A browser with a jar of cookies, at this console's pages. */
  browser(): Browser;
  close(): Promise<void>;
}

/** What a browser does, as far as the server sees it. */
export interface Browser {
  readonly jar: Map<string, string>;
  /** The token of the session, once it was asked for. */
  csrf: string;
  /** Asks as a page of the console would; `headers` replace what a browser sends by itself, undefined leaves it out. */
  ask(path: string, init?: AskInit): Promise<Answer>;
  signIn(link: string): Promise<Answer>;
}

/** How a browser asks. */
export interface AskInit {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: <T = Record<string, unknown>>() => T;
}

/** Opens it. */
export async function consoleSide(
  over: {
    readonly console?: object;
    readonly identity?: object;
    readonly rights?: object;
    readonly record?: (event: Event) => Promise<unknown>;
    readonly now?: number;
    readonly routes?: readonly ManagementRoute[];
  } = {},
): Promise<ConsoleSide> {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-console-'));
  const dist = join(folder, 'dist');
  mkdirSync(join(dist, 'assets'), { recursive: true });
  writeFileSync(join(dist, 'assets/console-0a1b2c3d.js'), 'export {};\n');
  writeFileSync(join(dist, 'assets/console-0a1b2c3d.js.br'), 'brotli');
  writeFileSync(join(dist, 'assets/console-0a1b2c3d.js.gz'), 'gzip');
  writeFileSync(join(dist, 'index.html'), '<!doctype html><title>Glacis</title>');
  writeFileSync(join(folder, 'secret.txt'), 'not for anybody');
  const time = { now: over.now ?? 1_800_000_000_000 };
  const now = () => time.now;
  const [events, failures, done]: [Event[], unknown[], string[]] = [[], [], []];
  const failed = (_where: string, thrown: unknown) => void failures.push(thrown);
  const store = await openStore({ kind: 'sqlite', file: join(folder, 'glacis.db') }, { now });
  const secret = new Uint8Array(32).fill(7);
  const identityConfig = identitySchema.parse(over.identity ?? {});
  const identity = await openIdentity(identityConfig, {
    secret,
    store: databaseKeys(store),
    now,
    clock: () => performance.now(),
    failed,
  });
  const rights = await openManagementRights(rightsSchema.parse(over.rights ?? {}), { now, failed });
  const record = over.record ?? (async (event: Event) => events.push(event));
  const opened = await openConsole(consoleSchema.parse(over.console ?? {}), {
    ...{ store, secret, identity, record, now, clock: now, failed },
    issuers: identityConfig.issuers,
    may: rights.may,
    env: { CLIENT_SECRET: 'a secret of the client' },
    placeOf: (path) => path,
    folder: dist,
  });
  const act = route({
    method: 'POST',
    path: '/api/act',
    about: 'Something that changes.',
    action: 'models.rollback',
    event: 'acted',
    run({ by }) {
      done.push(by.id);
      return { json: { done: true } };
    },
  });
  const management = await openManagement(
    { host: '127.0.0.1', port: 0 },
    {
      routes: [...opened.routes, act, ...(over.routes ?? [])],
      identifier: identity,
      allows: rights.may,
      record,
      failed,
      now,
      door: opened.door,
    },
  );
  const { address } = management;
  return {
    ...{ address, folder, console: opened, identity, store, management, events, failures, done, time },
    async key(principal, roles) {
      const { text, record: made } = await identity.keys.create(
        {
          principal,
          tenant: 'acme',
          roles,
          scope: { models: ['*'], operations: ['infer'], detail: 'label' },
        },
        { id: 'test', mayGrant: true },
      );
      return { text, id: made.id };
    },
    async link(key) {
      const answer = await send(address, '/api/session/links', {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
      });
      return answer.json<{ url: string }>().url.split('#link=')[1]!;
    },
    browser: () => browserAt(address),
    async close() {
      opened.close();
      await management.close();
      await identity.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function browserAt(address: string): Browser {
  const jar = new Map<string, string>();
  const browser: Browser = {
    jar,
    csrf: '',
    async ask(path, { method = 'GET', body, headers = {} } = {}) {
      const usual: Record<string, string | undefined> = {
        'sec-fetch-site': 'same-origin',
        ...(method !== 'GET' && { origin: address, 'x-glacis-csrf': browser.csrf }),
        ...(jar.size > 0 && { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') }),
        ...headers,
      };
      const answer = await send(address, path, { method, body, headers: usual });
      for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
        const [pair = '', ...attributes] = line.split('; ');
        const [name = '', value = ''] = pair.split('=');
        if (attributes.includes('Max-Age=0')) jar.delete(name);
        else jar.set(name, value);
      }
      return answer;
    },
    async signIn(link) {
      const answer = await browser.ask('/api/session/link', {
        method: 'POST',
        body: { link },
        headers: { 'x-glacis-csrf': 'link' },
      });
      if (answer.status === 200)
        browser.csrf = (await browser.ask('/api/session')).json<{ csrf: string }>().csrf;
      return answer;
    },
  };
  return browser;
}

/** One request, with just these headers: `fetch` would not send `Origin` or `Host` as told. */
export function send(
  address: string,
  path: string,
  { method = 'GET', body, headers = {} }: AskInit,
): Promise<Answer> {
  const { hostname, port } = new URL(address);
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const given = Object.fromEntries(
    Object.entries(headers).filter((each): each is [string, string] => each[1] !== undefined),
  );
  return new Promise((done, failed) => {
    request(
      {
        host: hostname,
        port,
        path,
        method,
        agent: false,
        headers: {
          ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
          ...given,
        },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', failed);
        answer.once('end', () => {
          const text = Buffer.concat(chunks).toString();
          done({ status: answer.statusCode!, headers: answer.headers, text, json: () => JSON.parse(text) });
        });
      },
    )
      .once('error', failed)
      .end(bytes);
  });
}
