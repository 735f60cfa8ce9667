import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Issued, issue } from '../../../supply/sign/certificate.fixture.ts';
import { isReachable } from '../../outbound/reachable.ts';
import { identitySchema } from '../config-schema.ts';
import { type GetOptions, getJson } from './get-json.ts';
import { type LocalServer, localServer, signingKey } from './issuer.fixture.ts';
import { openIssuer } from './open-issuer.ts';

const LOCAL: GetOptions = { networks: { loopback: true, private: false }, timeout: 2000, mostBytes: 1000 };
let server: LocalServer;
beforeAll(async () => {
  server = await localServer();
});
afterAll(() => server.close());
afterEach(() => {
  server.asked.length = 0;
});
const get = (path: string, over: Partial<GetOptions> = {}) =>
  getJson(new URL(path, server.url), { ...LOCAL, ...over });

/** A resolver that says this, whatever it is asked. */
const names = (...addresses: string[]) =>
  ((_: string, __: object, callback: (error: null, found: object[]) => void) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )) as unknown as NonNullable<GetOptions['resolve']>;

describe('abuse 29: an address that may not be asked', () => {
  it.each([
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
    '0.0.0.0',
    '::',
    'fe80::1%eth0',
    '224.0.0.1',
    '255.255.255.255',
    'ff02::1',
    'localhost',
    '',
  ])('%s never is, whatever is allowed', (address) => {
    expect(isReachable(address, { loopback: true, private: true })).toBe(false);
  });

  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('%s is this machine', (address) => {
    expect(isReachable(address, { loopback: false, private: true })).toBe(false);
    expect(isReachable(address, { loopback: true, private: false })).toBe(true);
  });

  it.each(['10.0.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd12::1', '::ffff:10.0.0.1'])(
    '%s is private',
    (address) => {
      expect(isReachable(address, { loopback: true, private: false })).toBe(false);
      expect(isReachable(address, { loopback: false, private: true })).toBe(true);
    },
  );

  it.each(['192.0.2.1', '172.32.0.1', '2600::1'])('%s is anybody’s', (address) => {
    expect(isReachable(address, { loopback: false, private: false })).toBe(true);
  });
});

describe('abuse 29: a document', () => {
  it('is read from where it is', async () => {
    server.answer = (_, response) => response.end('{"a":1}');
    expect(await get('/x')).toEqual({ a: 1 });
  });

  it('somewhere else is not gone to: no redirect is followed', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      server.asked.length = 0;
      server.answer = (_, response) => response.writeHead(status, { location: `${server.url}/there` }).end();
      await expect(get('/x')).rejects.toMatchObject({
        code: 'endpoint/unavailable',
        message: expect.stringContaining(`${status}`),
      });
      expect(server.asked).toEqual(['/x']);
    }
  });

  it('at a name that leads to a forbidden address is not asked for, at whatever other address it is, too', async () => {
    server.answer = (_, response) => response.end('{}');
    const { port } = new URL(server.url);
    const at = (protocol: string, networks: GetOptions['networks'], ...addresses: string[]) =>
      getJson(new URL(`${protocol}://localhost:${port}/x`), {
        ...LOCAL,
        networks,
        resolve: names(...addresses),
      });
    await expect(at('http', { loopback: true, private: false }, '169.254.169.254')).rejects.toThrow(
      'may not be asked',
    );
    await expect(
      at('http', { loopback: true, private: false }, '127.0.0.1', '169.254.169.254'),
    ).rejects.toThrow('may not be asked');
    await expect(at('https', { loopback: false, private: false }, '127.0.0.1')).rejects.toThrow(
      'may not be asked',
    );
    await expect(at('https', { loopback: false, private: false }, '192.0.2.1', '10.0.0.1')).rejects.toThrow(
      'may not be asked',
    );
    expect(server.asked).toEqual([]);
    expect(await at('http', { loopback: true, private: false }, '127.0.0.1')).toEqual({});
  });

  it('is asked for at the address that was checked: the name is resolved once', async () => {
    server.answer = (_, response) => response.end('{}');
    const resolve = vi.fn(names('127.0.0.1'));
    await getJson(new URL(`http://localhost:${new URL(server.url).port}/x`), {
      ...LOCAL,
      resolve: resolve as never,
    });
    expect(resolve).toHaveBeenCalledTimes(1);
  });

  it('without https is read from this machine only, and only where that is allowed', async () => {
    const off = { loopback: false, private: true };
    await expect(get('/x', { networks: off })).rejects.toThrow('not https');
    await expect(getJson(new URL('http://192.0.2.1/x'), LOCAL)).rejects.toThrow('not https');
    await expect(getJson(new URL('http://localhost.evil.example/x'), LOCAL)).rejects.toThrow('not https');
    await expect(getJson(new URL('file:///etc/passwd'), LOCAL)).rejects.toThrow('not https');
    await expect(getJson(new URL('https://169.254.169.254/x'), LOCAL)).rejects.toThrow('may not be asked');
    await expect(getJson(new URL('https://[::ffff:169.254.169.254]/x'), LOCAL)).rejects.toThrow(
      'may not be asked',
    );
    await expect(getJson(new URL('https://2852039166/x'), LOCAL)).rejects.toThrow('may not be asked');
    expect(server.asked).toEqual([]);
  });

  it('that is too long, endless, slow, broken off, or no JSON is an error that tells nothing of it', async () => {
    server.answer = (_, response) => response.end(`"${'secret'.repeat(1000)}"`);
    await expect(get('/x')).rejects.toMatchObject({
      code: 'endpoint/bad-answer',
      message: expect.stringContaining('at most 1000 bytes'),
    });
    server.answer = (_, response) => {
      const more = setInterval(() => response.write('x'.repeat(100)), 1);
      response.on('close', () => clearInterval(more));
    };
    await expect(get('/x')).rejects.toMatchObject({ code: 'endpoint/bad-answer' });
    server.answer = (_, response) => void response.write('{');
    await expect(get('/x', { timeout: 60 })).rejects.toMatchObject({ code: 'endpoint/unavailable' });
    server.answer = () => {};
    await expect(get('/x', { timeout: 60 })).rejects.toThrow('nothing within 60 ms');
    server.answer = (_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{');
      setTimeout(() => response.destroy(), 20);
    };
    await expect(get('/x')).rejects.toMatchObject({ code: 'endpoint/unavailable' });
    for (const bytes of ['secret', Buffer.from([0xff, 0x22]), '']) {
      server.answer = (_, response) => response.end(bytes);
      const thrown = await get('/x').catch((each: unknown) => each as Error);
      expect(thrown).toMatchObject({ code: 'endpoint/bad-answer' });
      expect((thrown as Error).message).not.toContain('secret');
    }
  });
});

describe('https', () => {
  const authority: Issued = issue({ name: 'authority', authority: true, keyUsage: 0x04 });
  const right = issue({ name: 'id', issuer: authority, alternativeNames: [[0x82, 'localhost']] });
  const wrong = issue({ name: 'id', issuer: authority, alternativeNames: [[0x82, 'other.example']] });

  it.each([
    ['the right name, from the right authority', right, true, undefined],
    ['another name', wrong, true, /altnames|localhost/],
    ['an authority that is not known', right, false, /unable to|self.signed/],
  ] as const)('with a certificate of %s', async (_, { pem, key }, isKnown, fault) => {
    const secure = createServer(
      { cert: pem, key: key.export({ type: 'pkcs8', format: 'pem' }) },
      (__, response) => response.end('{"ok":true}'),
    );
    await new Promise<void>((done) => secure.listen(0, '127.0.0.1', done));
    const { port } = secure.address() as AddressInfo;
    const asked = getJson(new URL(`https://localhost:${port}/x`), {
      ...LOCAL,
      resolve: names('127.0.0.1'),
      ca: isKnown ? authority.pem : undefined,
    });
    if (fault === undefined) expect(await asked).toEqual({ ok: true });
    else await expect(asked).rejects.toThrow(fault);
    secure.closeAllConnections();
    await new Promise((done) => secure.close(done));
  });
});

describe('an issuer', () => {
  const key = signingKey('k1');
  const open = (over: object) => {
    const { issuers } = identitySchema.parse({
      issuers: [
        {
          name: 'idp',
          issuer: server.url,
          audience: 'a',
          algorithms: ['ES256'],
          insecureLoopback: true,
          ...over,
        },
      ],
    });
    return openIssuer(issuers[0]!, {
      clock: () => 1e9,
      failed: (_, thrown) => said.push((thrown as Error).message),
    });
  };
  const said: string[] = [];

  it('names its own keys, on its own host only', async () => {
    const document = (more: object) =>
      JSON.stringify({ issuer: server.url, jwks_uri: `${server.url}/k`, ...more });
    let text = document({});
    server.answer = (request, response) =>
      response.end(request.url === '/k' ? JSON.stringify({ keys: [key.jwk] }) : text);
    const { keys } = await open({});
    expect(await keys.find('k1', 'ES256')).toBeDefined();
    expect(server.asked).toEqual(['/.well-known/openid-configuration', '/k']);
    for (const more of [
      { jwks_uri: 'https://169.254.169.254/k' },
      { jwks_uri: 'http://127.0.0.1:1/k' },
      { jwks_uri: 'file:///etc/passwd' },
      { jwks_uri: 7 },
      { issuer: 'https://evil.example' },
    ]) {
      text = document(more);
      said.length = 0;
      const issuer = await open({});
      await expect(issuer.keys.find('k1', 'ES256')).rejects.toMatchObject({ refusal: 'unavailable' });
      expect(said.join()).toMatch(/expected (?:keys on its own host|the document of)/);
    }
  });

  it.each([
    { issuer: 'http://id.example.org' },
    { issuer: 'http://127.0.0.1', insecureLoopback: false },
    { issuer: 'http://localhost.evil.example' },
    { jwks: 'file:///etc/passwd' },
    { jwks: 'https://user:hush@id.example.org/k' },
    { jwks: 'https://id.example.org/k#x' },
    { ca: '/nowhere' },
  ])('%j is refused when it is opened', async (over) => {
    const thrown = await open(over).catch((each: unknown) => each as Error);
    expect(thrown).toMatchObject({ code: 'option/invalid' });
    expect((thrown as Error).message).not.toContain('hush');
  });
});
