import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bundle, bundleOf, parseBundle } from './bundle.ts';
import { readCertificates } from './certificate.ts';
import { checkCertificateSignature } from './certificate-method.ts';
import { IN_TOTO, legacyPreAuthEncoding, preAuthEncoding } from './dsse.ts';
import { fingerprintOf, privateKeyFrom, publicKeyFrom, signWithEc } from './ec-key.ts';
import { checkKeySignature, keySigner } from './key-method.ts';
import { rootDigest } from './manifest.ts';
import { folderWith, write } from './model-folder.fixture.ts';
import { manifestFrom } from './oms-statement.ts';
import type { ManifestOptions } from './read-manifest.ts';
import { signModel } from './sign-model.ts';
import { type VerifyOptions, verifyModel } from './verify-model.ts';

const VECTORS = join(import.meta.dirname, '../../../test/vectors/signing');
const at = (name: string) => readFileSync(join(VECTORS, name));
const vector = (name: string) => parseBundle(at(name));
const keyOf = (name: string) => publicKeyFrom(at(`${name}.pub`), name);
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const check = (bundle: Bundle) => checkKeySignature(bundle, publicKey);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Signs the model with the test key. */
async function bundleFor(model: string, options: ManifestOptions = {}): Promise<Bundle> {
  return parseBundle(Buffer.from((await signModel(model, keySigner(privateKey), options)).bundle));
}

/** Signs any statement with the test key. */
function signed(statement: unknown): Bundle {
  const payload = Buffer.from(JSON.stringify(statement));
  const json = bundleOf(payload, signWithEc(privateKey, IN_TOTO, payload), {
    publicKey: { hint: fingerprintOf(publicKey) },
  });
  return parseBundle(Buffer.from(JSON.stringify(json)));
}

/** An OMS statement over these resources, consistent unless `change` makes it otherwise. */
function statement(
  resources: readonly object[],
  serialization: object = {},
  change: (json: ReturnType<typeof build>) => unknown = (json) => json,
): unknown {
  return change(build(resources, serialization));
}
function build(resources: readonly object[], serialization: object) {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'm', digest: { sha256: rootDigest(resources as { digest: string }[]) } }],
    predicateType: 'https://model_signing/signature/v1.0',
    predicate: {
      resources,
      serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ...serialization },
    },
  };
}
const resource = (name: string, text = 'x', rest: object = {}) => ({
  name,
  algorithm: 'sha256',
  digest: sha256(text),
  ...rest,
});
const verdictOf = async (model: string, bundle: Bundle, options?: VerifyOptions) => {
  const { verdict, reasons, differences } = await verifyModel(model, bundle, check, options);
  return verdict === 'verified'
    ? 'verified'
    : [...reasons, ...differences.map(({ kind, name }) => `${kind} ${name}`)].join('; ');
};

describe('signatures that other versions and settings made', () => {
  const model = join(VECTORS, 'model');
  const keys = readdirSync(VECTORS).filter((name) => /^v.*-key\.sig$/.test(name));
  const certificates = readdirSync(VECTORS).filter((name) => /^v.*-certificate\.sig$/.test(name));

  it('are there for every published version since 0.2.0', () => {
    const versions = (names: readonly string[]) => names.map((name) => name.split('-')[0]);
    expect(versions(keys)).toEqual(['v0.2.0', 'v0.3.1', 'v1.0.0', 'v1.0.1', 'v1.1.0', 'v1.1.1']);
    expect(versions(certificates)).toEqual(['v0.2.0', 'v1.0.0', 'v1.0.1', 'v1.1.0', 'v1.1.1']);
  });

  it.each(keys)('%s verifies', async (name) => {
    const verification = await verifyModel(model, vector(name), (b) =>
      checkKeySignature(b, keyOf('secp384r1')),
    );
    expect(verification).toMatchObject({ verdict: 'verified', differences: [] });
    expect(verification.warnings.length).toBe(name.startsWith('v0.2.0') ? 1 : 0);
  });

  it.each(certificates)('%s verifies', async (name) => {
    const trusted = readCertificates(at('root.crt'), 'root.crt');
    const verification = await verifyModel(model, vector(name), (b) =>
      checkCertificateSignature(b, { trusted, at: new Date('2027-01-01') }),
    );
    expect(verification).toMatchObject({ verdict: 'verified', signedBy: { subject: 'CN=Test signer' } });
  });

  it.each([
    ['prime256v1.sig', 'prime256v1', 'model'],
    ['secp521r1.sig', 'secp521r1', 'model'],
    ['blake2b.sig', 'prime256v1', 'model'],
    ['blake3.sig', 'prime256v1', 'model'],
    ['shards.sig', 'prime256v1', 'model'],
    ['shards-blake2b.sig', 'prime256v1', 'model'],
    ['single-file.sig', 'prime256v1', 'model/config.json'],
  ])('%s verifies', async (name, key, path) => {
    const found = await verifyModel(join(VECTORS, path), vector(name), (b) =>
      checkKeySignature(b, keyOf(key)),
    );
    expect(found).toMatchObject({ verdict: 'verified', reasons: [] });
  });

  it('do not verify for a model in which one byte differs', async () => {
    const copy = folderWith();
    cpSync(model, copy, { recursive: true });
    write(copy, { 'sub/weights.bin': `${'w'.repeat(63)}v` });
    for (const name of [...keys, 'shards.sig', 'blake3.sig']) {
      const key = keyOf(name.startsWith('v') ? 'secp384r1' : 'prime256v1');
      const found = await verifyModel(copy, vector(name), (b) => checkKeySignature(b, key));
      expect(found, name).toMatchObject({ verdict: 'refused', differences: [{ kind: 'changed' }] });
    }
  });
});

describe('what published tools write otherwise than the specification', () => {
  it('an order of resources that is not that of code points keeps its root digest', async () => {
    const model = folderWith({ 'a/b': 'x', 'a-1': 'x' });
    expect(await verdictOf(model, signed(statement([resource('a/b'), resource('a-1')])))).toBe('verified');
    expect(await verdictOf(model, signed(statement([resource('a-1'), resource('a/b')])))).toBe('verified');
  });

  it('a model of one file may be called "." or by its name', async () => {
    const path = join(folderWith({ 'm.onnx': 'x' }), 'm.onnx');
    expect(await verdictOf(path, signed(statement([resource('.')])))).toBe('verified');
    expect(await verdictOf(path, signed(statement([resource('m.onnx')])))).toBe('verified');
    expect(await verdictOf(path, signed(statement([resource('n.onnx')])))).toMatch(
      /missing n\.onnx; extra m\.onnx/,
    );
    expect(await verdictOf(folderWith({ 'm.onnx': 'x' }), signed(statement([resource('.')])))).toMatch(
      /missing \./,
    );
  });

  it('the hash of shards may have a suffix, and the shard size may be written 4.0', async () => {
    const model = folderWith({ a: '01234567' });
    const shards = (algorithm: string) => [
      resource('a:0:4', '0123', { algorithm }),
      resource('a:4:8', '4567', { algorithm }),
    ];
    const how = { method: 'shards', shard_size: 4 };
    for (const name of ['sha256', 'sha256-sharded-4'])
      expect(await verdictOf(model, signed(statement(shards(name), how)))).toBe('verified');
    const text = JSON.stringify(statement(shards('sha256'), how)).replace(
      '"shard_size":4',
      '"shard_size":4.0',
    );
    expect(manifestFrom(Buffer.from(text)).manifest.serialization.shardSize).toBe(4);
    expect(await verdictOf(model, signed(statement(shards('sha256-sharded-5'), how)))).toMatch(
      /algorithm sha256/,
    );
  });

  it('blake2 is another name of blake2b', async () => {
    const model = folderWith({ a: 'x' });
    const digest = createHash('blake2b512').update('x').digest('hex');
    const one = { name: 'a', algorithm: 'blake2', digest };
    expect(await verdictOf(model, signed(statement([one], { hash_type: 'blake2' })))).toBe('verified');
  });

  it('a file with colons in its name can be cut into shards', async () => {
    const model = folderWith({ 'a:b:1': '012345' });
    expect(await verdictOf(model, await bundleFor(model, { shardSize: 4 }))).toBe('verified');
  });

  it('keyid, tlogEntries and the fingerprint may be absent, empty or null, and the key may be there as PEM', async () => {
    const model = folderWith({ a: 'x' });
    const json = (await bundleFor(model)).json as Record<string, Record<string, unknown>>;
    const pem = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }) as string).toString('base64');
    const envelopes = [undefined, '', null].map((keyid) => ({
      ...json.dsseEnvelope,
      signatures: [{ ...(json.dsseEnvelope!.signatures as object[])[0], keyid }],
    }));
    const materials = [
      { publicKey: { hint: fingerprintOf(publicKey).toUpperCase() } },
      { publicKey: { hint: null }, tlogEntries: [] },
      { publicKey: { rawBytes: pem, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }, tlogEntries: null },
    ];
    for (const dsseEnvelope of envelopes)
      for (const verificationMaterial of materials) {
        const text = JSON.stringify({ ...json, dsseEnvelope, verificationMaterial });
        expect(await verdictOf(model, parseBundle(Buffer.from(text)))).toBe('verified');
      }
  });

  it('unknown fields, and what early versions wrote into a resource, are let be', async () => {
    const model = folderWith({ a: 'x' });
    const one = statement([resource('a', 'x', { annotations: { a: 1 } })], {}, (json) => ({
      ...json,
      predicate: { ...json.predicate, modelCard: {} },
    }));
    expect(await verdictOf(model, signed(one))).toBe('verified');
  });
});

describe('faults that verifiers had', () => {
  it('links are treated as the signature says, whatever the caller would like', async () => {
    const outside = folderWith({ a: 'x' });
    const model = folderWith({ b: 'x' });
    symlinkSync(join(outside, 'a'), join(model, 'a'));
    const both = [resource('a'), resource('b')];
    expect(await verdictOf(model, signed(statement(both)))).toMatch(/missing a; refused a/);
    expect(await verdictOf(model, signed(statement(both, { allow_symlinks: true })))).toBe('verified');
    // Even where unsigned files are let be, a link is not what was signed.
    expect(await verdictOf(model, signed(statement(both)), { ignoreUnsignedFiles: true })).toMatch(
      /missing a/,
    );
  });

  it('a signed name that leads out of the model is refused and nothing there is read', async () => {
    const outside = folderWith({ secret: 'x', 'm/b': 'x' });
    for (const name of ['../secret', '/etc/hostname', 'b/../../secret', './b']) {
      const bundle = signed(statement([resource(name)]));
      const found = await verdictOf(join(outside, 'm'), bundle, { ignoreUnsignedFiles: true });
      expect(found, name).toMatch(/expected a path inside the model/);
    }
  });

  it('what one verification ignores, the next does not', async () => {
    const model = folderWith({ a: 'x' });
    const lax = signed(statement([resource('a')], { ignore_paths: ['planted'] }));
    const strict = signed(statement([resource('a')]));
    write(model, { 'planted/evil.py': 'x' });
    const options: VerifyOptions = { ignorePaths: [] };
    expect(await verdictOf(model, lax, options)).toBe('verified');
    expect(await verdictOf(model, strict, options)).toMatch(/extra planted\/evil\.py/);
  });

  it('keys of another kind are refused, not only other curves in PEM', () => {
    const pem = (type: 'ed25519' | 'rsa' | 'ec', curve = 'secp256k1') => {
      const pair =
        type === 'ec'
          ? generateKeyPairSync('ec', { namedCurve: curve })
          : type === 'rsa'
            ? generateKeyPairSync('rsa', { modulusLength: 2048 })
            : generateKeyPairSync('ed25519');
      return [
        Buffer.from(pair.publicKey.export({ type: 'spki', format: 'pem' })),
        Buffer.from(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })),
      ] as const;
    };
    for (const [pub, priv] of [pem('rsa'), pem('ed25519'), pem('ec')]) {
      expect(() => publicKeyFrom(pub, 'k')).toThrow(/expected an EC key on P-256, P-384 or P-521/);
      expect(() => privateKeyFrom(priv, 'k')).toThrow(/expected an EC key on P-256, P-384 or P-521/);
    }
    const [pub, priv] = pem('ec', 'P-256');
    expect(() => publicKeyFrom(priv, 'k')).toThrow(/got a private one/);
    expect(() => privateKeyFrom(pub, 'k')).toThrow(/got a public key/);
    expect(() => publicKeyFrom(Buffer.from('x'), 'k')).toThrow(
      expect.objectContaining({ code: 'key/unusable' }),
    );
    const locked = createPrivateKey(priv).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'pw',
    });
    expect(() => privateKeyFrom(Buffer.from(locked), 'k')).toThrow(/without a password/);
    expect(() => privateKeyFrom(Buffer.from(locked), 'k', 'no')).toThrow(/this password does not open/);
    expect(privateKeyFrom(Buffer.from(locked), 'k', 'pw').asymmetricKeyType).toBe('ec');
  });
});

describe('a verification', () => {
  it('names every file that changed, is missing or was not signed', async () => {
    const model = folderWith({ a: 'one', b: 'two', 'c/d': 'three' });
    const bundle = await bundleFor(model);
    expect(await verdictOf(model, bundle)).toBe('verified');
    write(model, { a: 'eno', 'c/e': 'new' });
    rmSync(join(model, 'b'));
    const { differences, verdict } = await verifyModel(model, bundle, check);
    expect(verdict).toBe('refused');
    expect(differences).toEqual([
      { kind: 'changed', name: 'a', expected: sha256('one'), found: sha256('eno') },
      { kind: 'missing', name: 'b' },
      { kind: 'extra', name: 'c/e' },
    ]);
  });

  it('lets unsigned files be where asked, and signed ones never', async () => {
    const model = folderWith({ a: 'one' });
    const bundle = await bundleFor(model);
    write(model, { b: 'new' });
    expect(await verdictOf(model, bundle)).toMatch(/extra b/);
    expect(await verdictOf(model, bundle, { ignorePaths: ['b'] })).toBe('verified');
    expect(await verdictOf(model, bundle, { ignoreUnsignedFiles: true })).toBe('verified');
    write(model, { a: 'two' });
    expect(await verdictOf(model, bundle, { ignorePaths: ['a'], ignoreUnsignedFiles: true })).toMatch(
      /changed a/,
    );
  });

  it('looks at signed files below an ignored path', async () => {
    const model = folderWith({ '.github/x': 'one', a: '' });
    const bundle = await bundleFor(model, { ignoreGitPaths: false });
    expect(await verdictOf(model, bundle)).toBe('verified');
    write(model, { '.github/x': 'two' });
    expect(await verdictOf(model, bundle)).toMatch(/changed \.github\/x/);
  });

  it('finds shards that were added, cut off or emptied', async () => {
    const model = folderWith({ a: '01234567' });
    const bundle = await bundleFor(model, { shardSize: 4 });
    write(model, { a: '0123456789', none: '' });
    expect(await verdictOf(model, bundle)).toMatch(/; extra a:8:10$/);
    write(model, { a: '0123' });
    expect(await verdictOf(model, bundle)).toMatch(/; missing a:4:8$/);
    write(model, { a: '' });
    expect(await verdictOf(model, bundle)).toMatch(/; missing a:0:4; missing a:4:8$/);
  });

  it('refuses a bundle for another model, another key, a bent payload and a bent signature', async () => {
    const model = folderWith({ a: 'one' });
    const bundle = await bundleFor(model);
    expect(await verdictOf(folderWith({ z: 'one' }), bundle)).toMatch(/missing a; extra z/);
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    const wrong = await verifyModel(model, bundle, (b) => checkKeySignature(b, other));
    expect(wrong).toMatchObject({
      verdict: 'refused',
      reasons: [expect.stringMatching(/names another key/)],
    });
    const bend = (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte));
    const { envelope } = bundle;
    const bent = [
      { ...bundle, envelope: { ...envelope, payload: bend(envelope.payload) } },
      { ...bundle, envelope: { ...envelope, signatures: [bend(envelope.signatures[0]!)] } },
      { ...bundle, envelope: { ...envelope, signatures: [Buffer.alloc(0)] } },
    ];
    for (const one of bent)
      expect(await verdictOf(model, one)).toMatch(/does not fit the statement under this key/);
  });

  it('takes a signature with a certificate for no signature with its key', async () => {
    const model = join(VECTORS, 'model');
    const key = readCertificates(at('leaf.crt'), 'leaf.crt')[0]!.x509.publicKey;
    const found = await verifyModel(model, vector('v1.1.1-certificate.sig'), (b) =>
      checkKeySignature(b, key),
    );
    expect(found).toMatchObject({ reasons: ['it was signed with a certificate, not with a key'] });
  });

  it('takes no key from the bundle', async () => {
    const model = folderWith({ a: 'one' });
    const mallory = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = Buffer.from(mallory.publicKey.export({ type: 'spki', format: 'pem' }) as string).toString(
      'base64',
    );
    const { bundle } = await signModel(model, keySigner(mallory.privateKey));
    const json = JSON.parse(bundle);
    json.verificationMaterial.publicKey = { rawBytes: pem };
    expect(await verdictOf(model, parseBundle(Buffer.from(JSON.stringify(json))))).toMatch(
      /names another key/,
    );
    json.verificationMaterial.publicKey = {};
    expect(await verdictOf(model, parseBundle(Buffer.from(JSON.stringify(json))))).toMatch(/does not fit/);
    json.verificationMaterial.publicKey = { rawBytes: 'AAAA' };
    expect(await verdictOf(model, parseBundle(Buffer.from(JSON.stringify(json))))).toMatch(
      /names another key/,
    );
  });

  it('refuses signed statements that contradict themselves or are of another kind', async () => {
    const model = folderWith({ a: 'x' });
    const a = resource('a');
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [
        statement([a], {}, (s) => ({ ...s, subject: [{ name: 'm', digest: { sha256: sha256('') } }] })),
        /digest of the resources/,
      ],
      [statement([a], {}, (s) => ({ ...s, subject: [] })), /subject: expected one/],
      [
        statement([a], {}, (s) => ({ ...s, subject: [...s.subject, ...s.subject] })),
        /subject: expected one, got 2/,
      ],
      [statement([a], {}, (s) => ({ ...s, _type: 'https://in-toto.io/Statement/v0.1' })), /_type/],
      [
        statement([a], {}, (s) => ({ ...s, predicateType: 'https://slsa.dev/provenance/v1' })),
        /predicateType/,
      ],
      [statement([]), /at least one/],
      [statement([a, a]), /expected it once/],
      [statement([resource('a', 'x', { digest: 'abcd' })]), /digest of 32 bytes/],
      [statement([resource('a', 'x', { digest: 'z'.repeat(64) })]), /digest of 32 bytes/],
      [statement([resource('a', 'x', { algorithm: 'md5' })]), /algorithm sha256, got 'md5'/],
      [statement([a], { hash_type: 'md5' }), /hash_type/],
      [statement([a], { method: 'tensors' }), /files or shards/],
      [statement([a], { method: 'shards' }), /shard_size/],
      [statement([a], { method: 'shards', shard_size: 4 }), /path:start:end/],
      [statement([a], { shard_size: 4 }), /shard_size: expected none/],
      [statement([a], { allow_symlinks: 'false' }), /allow_symlinks/],
      [statement([a], { ignore_paths: [1] }), /ignore_paths/],
      [statement([a], { ignore_paths: 'b' }), /ignore_paths/],
      [statement([a], {}, (s) => ({ ...s, predicate: { ...s.predicate, resources: [1] } })), /resources/],
      [1, /expected an object/],
      [
        statement([a], {}, (s) => ({
          ...s,
          predicateType: 'https://model_signing/Digests/v0.1',
          subject: [null],
        })),
        /subject: expected objects, got null/,
      ],
    ];
    for (const [one, pattern] of cases) expect(await verdictOf(model, signed(one))).toMatch(pattern);
  });

  it('takes the old encoding for old statements only', async () => {
    const model = folderWith({ a: 'x' });
    const payload = Buffer.from(JSON.stringify(statement([resource('a')])));
    const old = sign('sha256', legacyPreAuthEncoding(IN_TOTO, payload), privateKey);
    const json = bundleOf(payload, old, { publicKey: { hint: fingerprintOf(publicKey) } });
    expect(await verdictOf(model, parseBundle(Buffer.from(JSON.stringify(json))))).toMatch(/does not fit/);
  });
});

describe('encodings', () => {
  it('are those of the DSSE specification, and of Python bytes in version 0.2.0', () => {
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
    expect(text(preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world')))).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
    expect(text(preAuthEncoding('é', Buffer.from('ü')))).toBe('DSSEv1 2 é 2 ü');
    const odd = (payload: string) =>
      text(legacyPreAuthEncoding('t', Buffer.from(payload))).slice('DSSEV1 1 t '.length);
    expect(odd('a\n\t\r\\')).toBe(`5 b'a\\n\\t\\r\\\\'`);
    expect(odd(`it's`)).toBe(`4 b"it's"`);
    expect(odd(`it's "x"`)).toBe(`8 b'it\\'s "x"'`);
    expect(odd('ü\x7f')).toBe(`3 b'\\xc3\\xbc\\x7f'`);
  });
});

describe('any bytes', () => {
  const good = at('v1.1.1-key.sig');

  it('are a bundle or an error with a code', () => {
    const read = (bytes: Uint8Array) => {
      try {
        parseBundle(bytes);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'signature/unreadable' });
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), read));
    fc.assert(fc.property(fc.json(), (text) => read(Buffer.from(text))));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (i, value) => {
        const bent = Uint8Array.from(good);
        bent[i] = value;
        read(bent);
      }),
    );
    for (const wrong of ['', 'null', '[]', '{}', good.subarray(0, 500).toString()]) read(Buffer.from(wrong));
  });

  it.each([
    [
      'another media type',
      (b: Json) => ({ ...b, mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.2' }),
    ],
    [
      'two kinds of material',
      (b: Json) => ({ ...b, verificationMaterial: { publicKey: {}, certificate: {} } }),
    ],
    ['no material', (b: Json) => ({ ...b, verificationMaterial: {} })],
    [
      'an empty chain',
      (b: Json) => ({ ...b, verificationMaterial: { x509CertificateChain: { certificates: [] } } }),
    ],
    ['no signature', (b: Json) => ({ ...b, dsseEnvelope: { ...b.dsseEnvelope, signatures: [] } })],
    [
      'another payload type',
      (b: Json) => ({ ...b, dsseEnvelope: { ...b.dsseEnvelope, payloadType: 'text/plain' } }),
    ],
    ['no base64', (b: Json) => ({ ...b, dsseEnvelope: { ...b.dsseEnvelope, payload: 'é' } })],
  ])('with %s are refused', (_, change) => {
    const text = JSON.stringify(change(JSON.parse(good.toString())));
    expect(() => parseBundle(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'signature/unreadable' }),
    );
  });

  it('signed as a statement are a manifest or an error with a code', () => {
    const read = (payload: Uint8Array) => {
      try {
        manifestFrom(payload);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'statement/invalid' });
      }
    };
    fc.assert(fc.property(fc.json(), (text) => read(Buffer.from(text))));
    const payload = vector('v1.1.1-key.sig').envelope.payload;
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.nat(255), (i, value) => {
        const bent = Uint8Array.from(payload);
        bent[i] = value;
        read(bent);
      }),
    );
  });
});

it('signs a model that is a folder in the folder where the signature lies', async () => {
  const model = folderWith({ a: 'one' });
  mkdirSync(join(model, 'sub'));
  const { bundle } = await signModel(model, keySigner(privateKey), { ignorePaths: ['model.sig'] });
  writeFileSync(join(model, 'model.sig'), bundle);
  expect(await verdictOf(model, parseBundle(Buffer.from(bundle)))).toBe('verified');
});

interface Json {
  readonly dsseEnvelope: object;
}
