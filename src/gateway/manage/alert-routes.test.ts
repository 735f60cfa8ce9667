import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Socket, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { alertsSchema } from '../../incident/alerts/config-schema.ts';
import { type Alerts, openAlerts } from '../../incident/alerts/open-alerts.ts';
import { openStore, type Store } from '../../store/index.ts';
import { issue } from '../../supply/sign/certificate.fixture.ts';
import type { AlertRow, AlertsView, Page } from '../console/api.ts';
import { type ConsoleSide, consoleSide, send } from '../console/console.fixture.ts';
import { checkedConnect } from '../outbound/checked-connect.ts';
import { checkedRequest } from '../outbound/checked-request.ts';
import { alertRoutes } from './alert-routes.ts';

let folder: string;
let store: Store;
let alerts: Alerts | undefined;
const failures: unknown[] = [];
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-alert-routes-'));
  store = await openStore({ kind: 'sqlite', file: join(folder, 'glacis.db') });
  failures.length = 0;
});
afterEach(async () => {
  expect(failures).toEqual([]);
  await alerts?.close();
  for (const close of closing.splice(0).reverse()) await close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const opened = async (...channels: object[]): Promise<Alerts> => {
  alerts = await openAlerts(
    alertsSchema.parse({ channels: channels.map((channel) => ({ name: 'c', ...channel })) }),
    {
      ...{ store, transmit: checkedRequest, connect: checkedConnect, now: Date.now, random: Math.random },
      env: { KEY: 'a key of many characters', PASSWORD: 'hunter2' },
      placeOf: (path) => path,
      address: 'https://glacis.example.org',
      freshId: () => randomBytes(16).toString('hex'),
      failed: (_, thrown) => failures.push(thrown),
      recent: async () => [],
      later: () => () => {},
    },
  );
  return alerts;
};
const hook = (url: string, over: object = {}) => ({ kind: 'webhook', url, keys: [{ env: 'KEY' }], ...over });
const receiver = async (
  handle: Parameters<typeof createServer>[1],
): Promise<{ url: string; asked: string[] }> => {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request.url!);
    handle!(request, response as never);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(
    () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(done);
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
};

describe('abuse 32: where alerts may go', () => {
  it.each([
    ['this machine', 'http://127.0.0.1:9/'],
    ['this machine, over https', 'https://127.0.0.1:9/'],
    ['a metadata service', 'https://169.254.169.254/latest/'],
    ['a private network', 'https://10.0.0.1/'],
    ['an address in another spelling', 'https://[::ffff:10.0.0.1]/'],
    ['a name that leads to this machine', 'https://localhost:9/'],
    ['somewhere without TLS', 'http://hooks.example.org/'],
  ])('not to %s, unless that is allowed', async (_, url) => {
    expect(await (await opened(hook(url))).test('c', 'ann')).toMatchObject({
      state: 'waiting',
      because: expect.stringMatching(/may not be asked|not https/),
    });
  });

  it('not where a redirect leads, and no more than a bounded answer is read', async () => {
    const inner = await receiver((_, response) => response.end());
    const outer = await receiver((request, response) => {
      if (request.url === '/long') response.writeHead(200).end('x'.repeat(1 << 20));
      else response.writeHead(307, { location: `${inner.url}/metadata` }).end();
    });
    const local = { insecureLoopback: true };
    expect(await (await opened(hook(outer.url, local))).test('c', 'ann')).toMatchObject({
      state: 'waiting',
      because: 'status 307',
    });
    expect(inner.asked).toEqual([]);
    await alerts!.close();
    expect(await (await opened(hook(`${outer.url}/long`, local))).test('c', 'ann')).toMatchObject({
      state: 'waiting',
      because: expect.stringContaining('at most'),
    });
  });
});

describe('the routes of alerts', () => {
  let side: ConsoleSide;
  afterEach(() => side.close());

  it('show receivers and messages, and try one; each to who may', async () => {
    const { url, asked } = await receiver((_, response) => response.writeHead(204).end());
    const routes = alertRoutes(await opened(hook(`${url}/secret-path`, { insecureLoopback: true })));
    side = await consoleSide({ routes });
    const [operator, auditor] = [await side.key('ann', ['operator']), await side.key('ben', ['auditor'])];
    const as = (key: { text: string }) => ({ authorization: `Bearer ${key.text}` });
    const view = (await send(side.address, '/api/alerts', { headers: as(auditor) })).json<AlertsView>();
    expect(view.channels).toMatchObject([
      { name: 'c', kind: 'webhook', to: new URL(url).host, waiting: 0, sent: 0 },
    ]);
    const button = (key: { text: string }) =>
      send(side.address, '/api/alerts/c/test', { method: 'POST', body: {}, headers: as(key) });
    expect((await button(auditor)).status).toBe(404);
    expect((await button(operator)).json<AlertRow>()).toMatchObject({ state: 'sent', channel: 'c' });
    expect(asked).toEqual(['/secret-path']);
    expect(side.events.at(-1)).toMatchObject({ event: 'alert-tested', by: 'ann', about: { channel: 'c' } });
    await button(operator);
    const page = (await send(side.address, '/api/alerts/outbox?most=1', { headers: as(auditor) })).json<
      Page<AlertRow>
    >();
    expect(page.rows).toHaveLength(1);
    const rest = (
      await send(side.address, `/api/alerts/outbox?before=${page.next}`, { headers: as(auditor) })
    ).json<Page<AlertRow>>();
    expect([rest.rows.length, rest.next]).toEqual([1, undefined]);
    expect(JSON.stringify([view, page])).not.toContain('secret-path');
    const absent = await send(side.address, '/api/alerts/nobody/test', {
      method: 'POST',
      body: {},
      headers: as(operator),
    });
    expect(absent.status).toBe(400);
  });
});

describe('mail', () => {
  const place = (port: number, over: object = {}) => ({
    ...{
      kind: 'email',
      host: '127.0.0.1',
      port,
      tls: 'none',
      insecureLoopback: true,
      from: 'glacis@example.org',
      to: ['ops@example.org', 'night@example.org'],
    },
    ...over,
  });

  it('arrives as text with a subject on one line, in one conversation a case', async () => {
    const { port, mails } = await mailServer({});
    const { notify, send: sendNow } = await opened(place(port, { least: 'low' }));
    const hostile = 'acme\r\nBcc: everybody@example.org\r\n\r\n<b>x</b>';
    notify({
      kind: 'alarm',
      isNew: true,
      alarm: {
        id: 'a',
        monitor: 'm',
        why: hostile,
        score: 1,
        threshold: 0,
        decisions: [],
        title: hostile,
      } as never,
      case: {
        id: 'C-2026-0007',
        title: hostile,
        kind: 'attack',
        severity: 'high',
        state: 'open',
        opened: 0,
        updated: 0,
        first: 0,
        last: 0,
        queries: 1,
        alarms: 1,
        models: [hostile],
        principals: [hostile],
        atlas: [],
        revision: 1,
      },
    });
    await sendNow();
    const [mail] = mails as [Mail];
    expect(mail.to).toEqual(['ops@example.org', 'night@example.org']);
    const [head = '', body = ''] = mail.data.split(/\r\n\r\n(.*)/s);
    const headers = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
    expect(headers.filter((line) => /^bcc:/i.test(line))).toEqual([]);
    expect(headers.find((line) => line.startsWith('Subject:'))).toMatch(
      /^Subject: \[high\] New: acme Bcc: everybody@example.org/,
    );
    expect(headers.find((line) => /^message-id:/i.test(line))).toMatch(/<[0-9a-f]{32}@example\.org>/);
    expect(headers.find((line) => /^references:/i.test(line))).toContain('<C-2026-0007.case@example.org>');
    expect(headers.find((line) => /^content-type:/i.test(line))).toMatch(/text\/plain/);
    expect(body).toContain('https://glacis.example.org/console/cases/C-2026-0007');
  });

  it('waits for a server that does not take it now, and says so without its words', async () => {
    const { port } = await mailServer({ answerTo: { MAIL: '451 4.7.1 a secret of the server' } });
    expect(await (await opened(place(port))).test('c', 'ann')).toMatchObject({
      state: 'waiting',
      because: expect.stringMatching(/^127\.0\.0\.1: \w+ 451$/),
    });
  });

  it('goes over TLS to who has the right certificate, and sends no password before that', async () => {
    const authority = issue({ name: 'authority', authority: true, keyUsage: 0x04 });
    const leaf = issue({
      name: 'mail',
      issuer: authority,
      keyUsage: 0x80,
      alternativeNames: [[0x87, new Uint8Array([127, 0, 0, 1])]],
    });
    const tls = { key: leaf.key.export({ type: 'pkcs8', format: 'pem' }) as string, cert: leaf.pem };
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, authority.pem);
    const login = { user: 'glacis', password: { env: 'PASSWORD' } };
    const secure = await mailServer({ tls });
    expect(
      await (await opened(place(secure.port, { tls: 'starttls', ca, ...login }))).test('c', 'ann'),
    ).toMatchObject({ state: 'sent' });
    expect(secure.said.join('\n')).toContain('AUTH');
    await alerts!.close();
    const named = await mailServer({ tls });
    expect(
      await (await opened(place(named.port, { host: 'localhost', tls: 'starttls', ca, ...login }))).test(
        'c',
        'ann',
      ),
    ).toMatchObject({ state: 'waiting' });
    expect(named.said.join('\n')).toContain('STARTTLS');
    await alerts!.close();
    const other = await mailServer({ tls });
    expect(
      await (await opened(place(other.port, { tls: 'starttls', ...login }))).test('c', 'ann'),
    ).toMatchObject({ state: 'waiting' });
    await alerts!.close();
    const stripped = await mailServer({});
    expect(
      await (await opened(place(stripped.port, { tls: 'starttls', ca, ...login }))).test('c', 'ann'),
    ).toMatchObject({ state: 'waiting' });
    expect([...named.said, ...other.said, ...stripped.said].join('\n')).not.toMatch(/AUTH|MAIL/);
  });

  it('goes without TLS to this machine alone', async () => {
    await expect(opened(place(25, { insecureLoopback: false }))).rejects.toMatchObject({
      code: 'option/invalid',
    });
    expect(
      await (await opened(place(25, { host: '10.0.0.1', privateNetwork: true }))).test('c', 'ann'),
    ).toMatchObject({ state: 'waiting', because: expect.stringContaining('may not be asked') });
  });
});

interface Mail {
  readonly to: string[];
  data: string;
}

/** A mail server as RFC 5321 has it, with STARTTLS where it has a certificate. */
async function mailServer({
  tls,
  answerTo = {},
}: {
  readonly tls?: { key: string; cert: string };
  readonly answerTo?: Record<string, string>;
}) {
  const [mails, said]: [Mail[], string[]] = [[], []];
  const talk = (socket: Socket, isSecure: boolean): void => {
    let mail: Mail = { to: [], data: '' };
    let inData = false;
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString();
      for (;;) {
        const end = inData ? text.indexOf('\r\n.\r\n') : text.indexOf('\r\n');
        if (end < 0) return;
        const line = text.slice(0, end);
        text = text.slice(end + (inData ? 5 : 2));
        if (inData) {
          mails.push({ ...mail, data: line });
          mail = { to: [], data: '' };
          inData = false;
          socket.write('250 2.0.0 taken\r\n');
          continue;
        }
        said.push(line);
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === 'EHLO')
          socket.write(
            `250-mail\r\n${tls && !isSecure ? '250-STARTTLS\r\n' : ''}${isSecure ? '250-AUTH PLAIN\r\n' : ''}250 8BITMIME\r\n`,
          );
        else if (verb === 'STAR') {
          socket.write('220 go\r\n');
          socket.removeAllListeners('data');
          talk(new TLSSocket(socket, { isServer: true, ...tls }) as unknown as Socket, true);
          return;
        } else if (verb === 'DATA') {
          inData = true;
          socket.write('354 go\r\n');
        } else if (verb === 'AUTH') socket.write('235 2.7.0 welcome\r\n');
        else {
          if (verb === 'RCPT') mail.to.push(/<(.*)>/.exec(line)![1]!);
          socket.write(`${answerTo[verb] ?? '250 2.0.0 fine'}\r\n`);
        }
      }
    });
  };
  const sockets = new Set<Socket>();
  const server: TcpServer = createTcp((socket) => {
    sockets.add(socket);
    socket.write('220 mail\r\n');
    talk(socket, false);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(
    () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy();
        server.close(done);
      }),
  );
  return { port: (server.address() as AddressInfo).port, mails, said };
}
