import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { base62, keyText } from '../../core/key-text.ts';
import { issue } from '../../supply/sign/certificate.fixture.ts';
import type { Caller } from '../call.ts';
import { openVeil } from '../manage/veil.ts';
import { Refused } from '../refusal.ts';
import { identitySchema } from './config-schema.ts';
import { keyHash } from './keys/key-hash.ts';
import { boundFields } from './keys/key-record.ts';
import { memoryKeyStore } from './keys/key-store.fixture.ts';
import { type Identity, openIdentity } from './open-identity.ts';
import { type LocalServer, localServer, signingKey, tokenBy } from './tokens/issuer.fixture.ts';

const AT = Date.parse('2026-11-21T10:00:00Z');
const ADMIN = { id: 'root', mayGrant: true };
const WISH = {
  principal: 'scanner',
  tenant: 'acme',
  scope: { models: ['*'], operations: ['infer' as const], detail: 'label' as const },
};
const signer = signingKey('k1');
const URI = 'spiffe://example.org/scanner';

let server: LocalServer;
let identity: Identity;
let store: ReturnType<typeof memoryKeyStore>;
let at = AT;
let ticks = 0;
let address = 0;
const failures: unknown[] = [];

const { raw, subjectAltName, validFrom, validTo } = new X509Certificate(
  issue({ name: 'client', alternativeNames: [[0x86, URI]] }).pem,
);
const certificate = {
  raw,
  subjectaltname: subjectAltName,
  valid_from: validFrom,
  valid_to: validTo,
} as unknown as PeerCertificate;

const issuers = () => [
  {
    name: 'idp',
    issuer: server.url,
    audience: 'gateway',
    algorithms: ['ES256'],
    jwks: `${server.url}/keys`,
    insecureLoopback: true,
  },
];
const certificates = [{ name: `uri:${URI}`, principal: 'machine', tenant: 'acme' }];
const open = (config: object = {}, secret = Buffer.alloc(32, 7)) =>
  openIdentity(identitySchema.parse({ issuers: issuers(), certificates, ...config }), {
    secret,
    store,
    now: () => at,
    clock: () => ticks,
    failed: (_, thrown) => failures.push(thrown),
  });
const token = (over: object = {}) =>
  tokenBy(signer, { iss: server.url, sub: 'ann', aud: 'gateway', exp: AT / 1000 + 600, ...over });
const bearer = (text: string, over: Partial<Caller> = {}): Caller => ({
  address: `192.0.2.${address}`,
  authorization: `Bearer ${text}`,
  ...over,
});
const wrongKey = () => keyText('AAAAAAAAAAA', base62(Buffer.alloc(32, 1), 43));

const outcome = async (caller: Caller, by = identity): Promise<string> => {
  try {
    return `welcome ${(await by.identify(caller)).id}`;
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown;
    return `${thrown.refusal}: ${thrown.because}`;
  }
};

beforeAll(async () => {
  server = await localServer();
  server.answer = (_, response) => response.end(JSON.stringify({ keys: [signer.jwk] }));
});
afterAll(() => server.close());
beforeEach(async () => {
  at = AT;
  ticks += 1e9;
  address = (address + 1) % 250;
  store = memoryKeyStore();
  identity = await open();
  return () => identity.close();
});

describe('who somebody is', () => {
  it('a key, a token, a certificate, or nobody', async () => {
    const { text } = await identity.keys.create(WISH, ADMIN);
    expect(await outcome(bearer(text))).toBe('welcome scanner');
    expect(await outcome(bearer(await token()))).toBe('welcome idp:ann');
    expect(await outcome({ address: '::1', certificate })).toBe('welcome machine');
    expect(await outcome({ address: '::1' })).toBe('unauthenticated: no credentials');
    expect(await outcome({ address: '::1', certificate: {} as PeerCertificate })).toBe(
      'unauthenticated: no credentials',
    );
  });

  it('is told at once for a key, a certificate, and a token that was seen before', async () => {
    const { text } = await identity.keys.create(WISH, ADMIN);
    const jwt = await token();
    await identity.identify(bearer(jwt));
    for (const caller of [bearer(text), bearer(jwt), { address: '::1', certificate }])
      expect(identity.identify(caller)).not.toBeInstanceOf(Promise);
  });

  it('is what the header says where there is one: a bad one is not made good by a certificate', async () => {
    const { text } = await identity.keys.create(WISH, ADMIN);
    expect(await outcome(bearer(text, { certificate }))).toBe('welcome scanner');
    for (const authorization of ['', 'Basic YTpi', `Bearer ${wrongKey()}`, 'Bearer a.b.c', text])
      expect(await outcome({ address: '::1', certificate, authorization })).toMatch(/^unauthenticated/);
  });

  it('is nobody without credentials, unless that is allowed', async () => {
    const by = await open({ anonymous: true });
    expect(await by.identify({ address: '::1' })).toMatchObject({
      id: 'anonymous',
      kind: 'anonymous',
      roles: [],
    });
    expect(await outcome({ address: '::1', authorization: '' }, by)).toMatch('unauthenticated');
    await by.keys.shutOut('anonymous', 'anonymous', true, ADMIN);
    expect(await outcome({ address: '::1' }, by)).toMatch('shut out');
    await by.close();
  });

  it('takes a certificate as well where that is required', async () => {
    const by = await open({ requireCertificate: true });
    const { text } = await by.keys.create(WISH, ADMIN);
    expect(await outcome(bearer(text), by)).toBe('unauthenticated: no client certificate');
    expect(await outcome(bearer(text, { certificate }), by)).toBe('welcome scanner');
    const stranger = {
      ...certificate,
      raw: new X509Certificate(issue({ name: 'other' }).pem).raw,
      subjectaltname: '',
    };
    expect(await outcome(bearer(text, { certificate: stranger as PeerCertificate }), by)).toMatch('nobody’s');
    await by.keys.shutOut('machine', 'acme', true, ADMIN);
    expect(await outcome(bearer(text, { certificate }), by)).toMatch('principal machine: shut out');
    await by.close();
  });
});

describe('a name that could be taken for a pseudonym', () => {
  const hidden = openVeil(Buffer.alloc(32, 7)).hide('victim');

  it('is nobody’s: neither a key nor the configuration may give it', async () => {
    for (const wish of [
      { ...WISH, principal: hidden },
      { ...WISH, tenant: hidden },
      { ...WISH, principal: '~' },
    ])
      await expect(identity.keys.create(wish, ADMIN)).rejects.toThrow("does not begin with '~'");
    const [own] = certificates;
    const [issuer] = issuers();
    const isTaken = (config: object) => identitySchema.safeParse(config).success;
    expect(isTaken({ certificates, issuers: issuers() })).toBe(true);
    for (const over of [{ principal: hidden }, { tenant: hidden }])
      expect(isTaken({ certificates: [{ ...own, ...over }] })).toBe(false);
    for (const tenant of [{ is: hidden }, { claim: 'org', map: { acme: hidden } }])
      expect(isTaken({ issuers: [{ ...issuer, claims: { tenant } }] })).toBe(false);
    expect(isTaken({ issuers: [{ ...issuer, name: hidden }] })).toBe(false);
  });

  it('stands behind the name of its issuer where a token says it, so that it is none', async () => {
    const said = await outcome(bearer(await token({ sub: hidden })));
    expect(said).toBe(`welcome idp:${hidden}`);
    expect(openVeil(Buffer.alloc(32, 7)).seen(`idp:${hidden}`)).toBeUndefined();
  });

  it('gets no service with a key from before', async () => {
    const { record } = await identity.keys.create(WISH, ADMIN);
    const secret = base62(Buffer.alloc(32, 3), 43);
    for (const [i, over] of [{}, { principal: hidden }, { tenant: hidden }].entries()) {
      const old = { ...record, ...over, id: `AAAAAAAAAA${i}` };
      const hash = keyHash(Buffer.alloc(32, 7))(secret, boundFields(old)).toString('hex');
      await store.add({ ...old, hash });
    }
    await identity.refresh();
    const asked = (i: number) => outcome(bearer(keyText(`AAAAAAAAAA${i}`, secret)));
    expect(await asked(0)).toBe('welcome scanner');
    for (const i of [1, 2]) expect(await asked(i)).toMatch('taken for a pseudonym');
  });
});

describe('a principal that is shut out', () => {
  it('gets no service, whatever it presents', async () => {
    const { text } = await identity.keys.create(WISH, ADMIN);
    const jwt = await token();
    await identity.identify(bearer(jwt));
    for (const id of ['scanner', 'idp:ann', 'machine']) await identity.keys.shutOut(id, 't', true, ADMIN);
    for (const caller of [
      bearer(text),
      bearer(jwt),
      bearer(await token({ n: 1 })),
      { address: '::1', certificate },
    ])
      expect(await outcome(caller)).toMatch(/^unauthenticated: principal \S+: shut out/);
    await identity.keys.shutOut('scanner', 't', false, ADMIN);
    expect(await outcome(bearer(text))).toBe('welcome scanner');
  });
});

describe('failed attempts', () => {
  it('have an address wait, for keys and for tokens, and drain', async () => {
    for (let i = 0; i < 20; i++) expect(await outcome(bearer(wrongKey()))).toMatch(/^unauthenticated/);
    expect(await outcome(bearer(wrongKey()))).toMatch(/^throttled/);
    expect(await outcome(bearer(await token()))).toMatch(/^throttled/);
    expect(await outcome({ address: '198.51.100.1', authorization: `Bearer ${await token()}` })).toBe(
      'welcome idp:ann',
    );
    ticks += 60_000;
    expect(await outcome(bearer(await token()))).toBe('welcome idp:ann');
  });

  it('show by no answer whether one of many stolen keys is right', async () => {
    const { text } = await identity.keys.create(WISH, ADMIN);
    for (let i = 0; i < 25; i++) await outcome(bearer(wrongKey()));
    const said = async (key: string) => (await outcome(bearer(key))).split(':')[0];
    expect(await said(text)).toBe('throttled');
    expect(await said(wrongKey())).toBe('throttled');
  });

  it('of a neighbour behind the same address do not shut out whoever was there before', async () => {
    const { text } = await identity.keys.create(WISH, ADMIN);
    const jwt = await token();
    expect(await outcome(bearer(text))).toMatch('welcome');
    await identity.identify(bearer(jwt));
    for (let i = 0; i < 50; i++) await outcome(bearer(wrongKey()));
    expect(await outcome(bearer(text))).toBe('welcome scanner');
    expect(await outcome(bearer(jwt))).toBe('welcome idp:ann');
  });

  it('that come all at once are not all looked at', async () => {
    const forged = await Promise.all(
      Array.from({ length: 200 }, (_, i) => tokenBy(signingKey('k1'), { iss: server.url, n: i })),
    );
    const said = await Promise.all(forged.map((text) => outcome(bearer(text))));
    expect(said.filter((each) => each.includes('at once')).length).toBe(136);
    expect(await outcome({ address: '198.51.100.2', authorization: `Bearer ${await token()}` })).toMatch(
      'welcome',
    );
  });

  it('are none when many calls share a new token', async () => {
    const jwt = await token({ many: true });
    const said = await Promise.all(Array.from({ length: 1000 }, () => outcome(bearer(jwt))));
    expect(new Set(said)).toEqual(new Set(['welcome idp:ann']));
  });

  it('do not count where nobody could tell', async () => {
    const by = await open({
      issuers: [{ ...issuers()[0]!, jwks: `${server.url}:1/none`.replace(/:\d+:1/, ':1') }],
    });
    for (let i = 0; i < 30; i++)
      expect(await outcome(bearer(await token({ n: i })), by)).toMatch(/^unavailable/);
    await by.close();
  });
});

describe('a reload', () => {
  it('changes issuers and certificates as a whole, and keeps keys', async () => {
    const { text } = await identity.keys.create(WISH, ADMIN);
    const jwt = await token();
    await identity.identify(bearer(jwt));
    const parsed = (config: object) => identitySchema.parse(config);
    await identity.reload(parsed({ certificates: [{ ...certificates[0]!, principal: 'renamed' }] }));
    expect(await outcome(bearer(text))).toBe('welcome scanner');
    expect(await outcome(bearer(jwt))).toMatch('an issuer that is not known');
    expect(await outcome({ address: '::1', certificate })).toBe('welcome renamed');
    await expect(identity.reload(parsed({ issuers: [...issuers(), ...issuers()] }))).rejects.toMatchObject({
      code: 'option/invalid',
    });
    expect(await outcome({ address: '::1', certificate })).toBe('welcome renamed');
  });
});

describe('a configuration', () => {
  it.each([
    [{ certificates: [...certificates, ...certificates] }],
    [{ issuers: [{ name: 'a', issuer: 'http://x', audience: 'a', algorithms: ['ES256'] }] }],
  ])('that contradicts itself is refused', async (config) => {
    await expect(open(config)).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it.each([
    [{ certificates: [{ principal: 'a', tenant: 'b' }] }],
    [{ certificates: [{ principal: 'a', tenant: 'b', name: 'cn:x' }] }],
    [{ issuers: [{ name: 'a', issuer: 'https://x', audience: 'a', algorithms: [] }] }],
    [{ issuers: [{ name: 'a', issuer: 'https://x', audience: [], algorithms: ['ES256'] }] }],
    [{ issuers: [{ name: 'a', issuer: 'https://x', algorithms: ['ES256'] }] }],
    [{ issuers: [{ name: 'a', issuer: 'https://x', audience: 'a', algorithms: ['none'] }] }],
    [{ keys: { refresh: '2 hours' } }],
    [{ surprise: true }],
  ])('%j is no configuration', (config) => {
    expect(identitySchema.safeParse(config).success).toBe(false);
  });

  it('is safe when nothing is said', () => {
    expect(identitySchema.parse(undefined)).toMatchObject({
      anonymous: false,
      issuers: [],
      certificates: [],
    });
  });

  it('takes a secret that cannot be guessed', async () => {
    await expect(open({}, Buffer.alloc(16))).rejects.toMatchObject({ code: 'option/invalid' });
  });
});

describe('whatever an Authorization header holds', () => {
  it('is a principal or a refusal, never anything else', async () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('Bearer ', 'glacis_', '.', 'e30', 'eyJhbGciOiJFUzI1NiJ9', '='),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece).map((pieces) => pieces.join('')),
        async (authorization) => {
          ticks += 1e6;
          expect(await outcome({ address: '192.0.2.9', authorization })).toMatch(/^unauthenticated/);
        },
      ),
      { numRuns: 500 },
    );
  });
});
