import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseBundle } from '../bundle.ts';
import { issue } from '../certificate.fixture.ts';
import { folderWith, write } from '../model-folder.fixture.ts';
import { signModel } from '../sign-model.ts';
import { verifyModel } from '../verify-model.ts';
import { sigstoreCheck } from './check.ts';
import { identityTokenFrom } from './identity-token.ts';
import { PERSON } from './issuer.fixture.ts';
import { type LoopbackSigstore, loopbackSigstore } from './services.fixture.ts';
import { sigstoreSigner } from './signer.ts';

let sigstore: LoopbackSigstore;
beforeAll(async () => {
  sigstore = await loopbackSigstore();
});
afterAll(() => sigstore.close());

const read = (text: string) => identityTokenFrom(text, 'sigstore', new Date());
const signer = (claims = {}, services = sigstore) =>
  sigstoreSigner(async () => read(sigstore.token(claims)), services);
const trust = (identity: string) =>
  sigstoreCheck({
    trustedRoot: Buffer.from(JSON.stringify(sigstore.trustedRoot)),
    identity,
    identityProvider: sigstore.issuer,
  });

describe('signing with an identity', () => {
  it('gives a bundle that verifies without network: certificate, its log, the signature log, its time', async () => {
    const model = folderWith({ 'weights.bin': 'weights' });
    const own = signer();
    const { bundle } = await signModel(model, own);
    expect(own.who).toBe(`${PERSON} (by ${sigstore.issuer})`);
    const parsed = parseBundle(Buffer.from(bundle));
    expect(await verifyModel(model, parsed, await trust(PERSON))).toMatchObject({
      verdict: 'verified',
      signedBy: { method: 'sigstore', identity: PERSON, signedAt: expect.any(String) },
    });
    expect(await verifyModel(model, parsed, await trust('mallory@example.org'))).toMatchObject({
      verdict: 'refused',
    });
    write(model, { 'weights.bin': 'WEIGHTS' });
    expect(await verifyModel(model, parsed, await trust(PERSON))).toMatchObject({ verdict: 'refused' });
  });

  it('signs as a workflow, too, whose identity is an address of its own', async () => {
    const workflow = 'https://ci.example.org/release.yml@refs/heads/main';
    const bundle = await signer({ sub: workflow, email: undefined }).sign(Buffer.from('{"a":1}'));
    expect((await trust(workflow))(parseBundle(Buffer.from(JSON.stringify(bundle))))).toMatchObject({
      fits: true,
    });
  });

  it('asks for the token when the statement is there, and sends it to the authority alone', async () => {
    let asked = 0;
    const token = sigstore.token();
    const own = sigstoreSigner(async () => {
      asked++;
      return read(token);
    }, sigstore);
    expect(asked).toBe(0);
    const before = sigstore.asked.length;
    const text = JSON.stringify(await own.sign(Buffer.from('{}')));
    expect([asked, sigstore.asked.slice(before)]).toEqual([
      1,
      ['/api/v2/signingCert', '/api/v1/log/entries'],
    ]);
    for (const part of token.split('.')) expect(text).not.toContain(part);
  });
});

describe('a service that does not do as it should', () => {
  const failure = async (services: LoopbackSigstore, claims = {}) => {
    const own = sigstoreSigner(async () => read(services.token(claims)), services);
    const thrown: unknown = await own.sign(Buffer.from('{}')).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'signing/unavailable' });
    expect((thrown as Error).cause).toBeUndefined();
    return (thrown as Error).message;
  };
  const bent = async (path: string, change: Parameters<LoopbackSigstore['bend']>[1]) => {
    const services = await loopbackSigstore();
    services.bend(path, change);
    try {
      return await failure(services);
    } finally {
      await services.close();
    }
  };

  it('is an error in its words, without the token that it repeats', async () => {
    const foreign = await loopbackSigstore();
    const own = sigstoreSigner(async () => read(foreign.token()), sigstore);
    const message = await own.sign(Buffer.from('{}')).catch((error: Error) => error.message);
    await foreign.close();
    expect(message).toMatch(
      /a certificate of Fulcio at http.*status 401: the token \(secret\) is not known$/,
    );
  });

  it('is an error when it is not there', async () => {
    const gone = await loopbackSigstore();
    await gone.close();
    expect(await failure(gone)).toMatch(/Fulcio at http.*expected an answer, got none/);
  });

  it('is an error when it answers something else, or sends elsewhere', async () => {
    expect(await bent('signingCert', () => ({ status: 200, body: 'x' }))).toMatch(/an object in JSON/);
    expect(await bent('signingCert', () => ({ status: 200, body: {} }))).toMatch(/expected a certificate/);
    const other = issue({ name: 'other' }).pem;
    const chain = { chain: { certificates: [other] } };
    expect(
      await bent('signingCert', () => ({ status: 200, body: { signedCertificateEmbeddedSct: chain } })),
    ).toMatch(/for the key that was sent/);
    expect(
      await bent('signingCert', () => ({ status: 307, headers: { location: 'http://localhost:9/' } })),
    ).toMatch(/redirect/);
    expect(await bent('entries', () => ({ status: 503 }))).toMatch(/status 503: without a word/);
  });

  it.each<[string, (entry: { body: string; [name: string]: unknown }) => object, RegExp]>([
    ['no entry', () => ({}), /body/],
    ['a body that is no JSON', (entry) => ({ ...entry, body: 'AAAA' }), /body: expected JSON/],
    [
      'another signature',
      (entry) => ({ ...entry, body: changed(entry.body, /"signature":"...../, '"signature":"AAAAA') }),
      /the signature that was sent/,
    ],
    [
      'another payload',
      (entry) => ({ ...entry, body: changed(entry.body, /("payloadHash".*?"value":").{5}/, '$1aaaaa') }),
      /the signature that was sent/,
    ],
    [
      'a second signature',
      (entry) => ({
        ...entry,
        body: changed(entry.body, /"signatures":\[/, '"signatures":[{"signature":""},'),
      }),
      /the signature that was sent/,
    ],
    [
      'a second signature behind it',
      (entry) => ({
        ...entry,
        body: changed(entry.body, /("signatures":\[\{[^\]]*\})\]/, '$1,{"signature":""}]'),
      }),
      /the signature that was sent/,
    ],
    ['no proof', (entry) => ({ ...entry, verification: { signedEntryTimestamp: 'x' } }), /inclusionProof/],
    [
      'no promise',
      (entry) => ({ ...entry, verification: { inclusionProof: {} } }),
      /logIndex|signedEntryTimestamp/,
    ],
    ['no time', (entry) => ({ ...entry, integratedTime: '1' }), /integratedTime/],
    ['no name of the log', (entry) => ({ ...entry, logID: 'zz' }), /logID/],
  ])('gives no bundle where the log answers with %s', async (_, change, message) => {
    const text = await bent('entries', (answer) => {
      const [[id, entry]] = Object.entries(answer.body as object) as [[string, never]];
      return { ...answer, body: { [id]: change(entry) } };
    });
    expect(text).toMatch(/^Rekor at http.*the entry's/);
    expect(text).toMatch(message);
  });

  it('is left alone after a cancellation', async () => {
    const own = sigstoreSigner(async () => read(sigstore.token()), sigstore, AbortSignal.abort('Ctrl-C'));
    const before = sigstore.asked.length;
    await expect(own.sign(Buffer.from('{}'))).rejects.toMatchObject({ code: 'run/cancelled' });
    expect(sigstore.asked.length).toBe(before);
  });
});

/** The base64 of a JSON text with something replaced in it. */
function changed(base64: string, from: RegExp, to: string): string {
  const text = Buffer.from(base64, 'base64').toString();
  const other = text.replace(from, to);
  expect(other).not.toBe(text);
  return Buffer.from(other).toString('base64');
}
