import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBundle } from './bundle.ts';
import { checkKeySignature } from './key-method.ts';
import { folderWith } from './model-folder.fixture.ts';
import { derSignature, openPkcs11Key, type Pkcs11Package, pkcs11Signer } from './pkcs11.ts';
import { parsePkcs11Uri } from './pkcs11-uri.ts';
import { newTokenKey, tokensInMemory } from './token.fixture.ts';

const MODULE = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so'].find(
  existsSync,
);
/** The package compiles, so it is not among the dependencies; GLACIS_TEST_PKCS11JS names the folder of an installed one. */
const PACKAGE = process.env.GLACIS_TEST_PKCS11JS;
const tools = spawnSync('softhsm2-util', ['--version']).status === 0;
const missing =
  MODULE && PACKAGE && tools ? '' : 'SoftHSM or pkcs11js is not here (GLACIS_TEST_PKCS11JS names its folder)';

describe('a PKCS#11 address', () => {
  it('names a key, its token and its module', () => {
    const uri = 'pkcs11:token=my%20token;id=%01%02;object=k?module-path=/m.so&pin-value=1%3B2';
    expect(parsePkcs11Uri(uri)).toEqual({
      token: 'my token',
      id: Uint8Array.of(1, 2),
      object: 'k',
      modulePath: '/m.so',
      pinValue: '1;2',
    });
    expect(parsePkcs11Uri('pkcs11:slot-id=3;object=k;type=private?module-name=softhsm2').slotId).toBe(3);
  });

  it.each([
    ['no pkcs11', 'file:/m.so'],
    ['an unknown attribute', 'pkcs11:object=k;colour=red?module-path=/m.so'],
    ['an attribute twice', 'pkcs11:object=k;object=j?module-path=/m.so'],
    ['no key', 'pkcs11:token=t?module-path=/m.so'],
    ['no module', 'pkcs11:object=k'],
    ['a public key', 'pkcs11:object=k;type=public?module-path=/m.so'],
    ['a wrong escape', 'pkcs11:object=%zz?module-path=/m.so'],
    ['a wrong slot', 'pkcs11:object=k;slot-id=x?module-path=/m.so'],
  ])('with %s is refused', (_, uri) => {
    expect(() => parsePkcs11Uri(uri)).toThrow(expect.objectContaining({ code: 'option/invalid' }));
  });

  it('of any text is read or refused, without its PIN in the message', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parsePkcs11Uri(`pkcs11:${text}&pin-value=secret`);
        } catch (thrown) {
          expect((thrown as { code: string }).code).toBe('option/invalid');
          expect((thrown as Error).message).not.toContain('secret');
        }
      }),
    );
  });
});

it('a signature of two numbers becomes DER, whatever their first bits', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  for (let i = 0; i < 20; i++) {
    const data = Buffer.from([i]);
    const raw = sign('sha512', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    expect(verify('sha512', data, publicKey, derSignature(raw))).toBe(true);
  }
});

describe('a key on a token in memory', () => {
  const keys = [
    { label: 'a', id: 1, key: newTokenKey() },
    { label: 'b', id: 1, key: newTokenKey() },
  ];
  const one = [{ label: 'test', keys }];
  const at = (tokens: Parameters<typeof tokensInMemory>[0], uri: string, pin = '1234') => {
    const tokensOf = tokensInMemory(tokens);
    const opened = openPkcs11Key(parsePkcs11Uri(`pkcs11:${uri}?module-path=/token.so`), tokensOf, {
      GLACIS_PKCS11_PIN: pin,
    });
    return { opened, open: tokensOf.open };
  };

  it('signs what its public part verifies, and lets go of the token', async () => {
    const { opened, open } = at(one, 'token=test;object=b');
    const key = await opened;
    expect(key.publicKey.equals(createPublicKey(keys[1]!.key))).toBe(true);
    const bundle = parseBundle(Buffer.from(JSON.stringify(await pkcs11Signer(key).sign(Buffer.from('{}')))));
    expect(checkKeySignature(bundle, key.publicKey)).toMatchObject({ fits: true });
    key.close();
    expect(open()).toBe(0);
  });

  it.each([
    ['label', 'token=test;object=a'],
    ['serial number', 'serial=2;object=a'],
    ['slot', 'slot-id=8;object=a'],
  ])('is on the token that the address names by its %s', async (_, uri) => {
    const tokens = [
      { label: 'other', keys: [] },
      { label: 'test', serialNumber: '2', keys },
    ];
    (await at(tokens, uri).opened).close();
  });

  it.each<[string, Parameters<typeof tokensInMemory>[0], string, RegExp]>([
    ['no token', one, 'token=none;object=a', /expected one token that fits, got 0/],
    ['no token of that maker', one, 'manufacturer=none;object=a', /one token that fits, got 0/],
    ['no token of that model', one, 'model=none;object=a', /one token that fits, got 0/],
    ['two tokens', [...one, ...one], 'token=test;object=a', /expected one token that fits, got 2/],
    ['no key', one, 'token=test;object=none', /expected one private key that fits, got none/],
    ['two keys', one, 'token=test;id=%01', /expected one private key that fits, got several/],
    [
      'a key on another curve',
      [{ label: 'test', keys: [{ ...keys[0]!, params: Buffer.from('06052b8104000a', 'hex') }] }],
      'object=a',
      /expected an EC key|P-256/,
    ],
  ])('is refused where the address means %s, and the token is let go', async (_, tokens, uri, reason) => {
    const { opened, open } = at(tokens, uri);
    await expect(opened).rejects.toThrow(reason);
    expect(open()).toBe(0);
  });

  it('needs its PIN, from the environment or from a file', async () => {
    const wrong = at(one, 'object=a', '1');
    await expect(wrong.opened).rejects.toMatchObject({ code: 'signing/unavailable' });
    expect(wrong.open()).toBe(0);
    const file = join(folderWith(), 'pin');
    writeFileSync(file, '1234\n');
    const uri = (pin: string) => parsePkcs11Uri(`pkcs11:object=a?module-path=/token.so&pin-source=${pin}`);
    (await openPkcs11Key(uri(file), tokensInMemory(one), {})).close();
    await expect(openPkcs11Key(uri(`${file}.none`), tokensInMemory(one), {})).rejects.toMatchObject({
      code: 'signing/unavailable',
    });
  });

  it('needs a module that loads', async () => {
    const uri = parsePkcs11Uri('pkcs11:object=a?module-path=/none.so');
    await expect(openPkcs11Key(uri, tokensInMemory(one), {})).rejects.toThrow(/expected a module that loads/);
    const named = parsePkcs11Uri('pkcs11:object=a?module-name=none');
    await expect(openPkcs11Key(named, tokensInMemory(one), {})).rejects.toThrow(/module-path=FILE names it/);
  });
});

describe('a key on a token', () => {
  it.skipIf(missing !== '')('signs what its public part verifies', async () => {
    const folder = folderWith();
    mkdirSync(join(folder, 'tokens'));
    writeFileSync(
      join(folder, 'conf'),
      `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\n`,
    );
    process.env.SOFTHSM2_CONF = join(folder, 'conf');
    const run = (...args: string[]) => execFileSync('softhsm2-util', args);
    run('--init-token', '--free', '--label', 'test', '--pin', '1234', '--so-pin', '5678');
    const pkcs11js = createRequire(join(PACKAGE!, 'x.js'))('pkcs11js') as Pkcs11Package;
    const base = `module-path=${MODULE}`;
    for (const [curve, label, id] of [
      ['P-256', 'a', '01'],
      ['P-384', 'b', '02'],
      ['P-521', 'c', '01'],
    ] as const) {
      const pem = generateKeyPairSync('ec', { namedCurve: curve }).privateKey.export({
        type: 'pkcs8',
        format: 'pem',
      });
      writeFileSync(join(folder, 'key.pem'), pem);
      run(
        '--import',
        join(folder, 'key.pem'),
        '--token',
        'test',
        '--label',
        label,
        '--id',
        id,
        '--force',
        '--pin',
        '1234',
      );
      const uri = parsePkcs11Uri(`pkcs11:token=test;object=${label}?${base}&pin-value=1234`);
      const key = await openPkcs11Key(uri, pkcs11js, {});
      const payload = Buffer.from('{}');
      const bundle = parseBundle(Buffer.from(JSON.stringify(await pkcs11Signer(key).sign(payload))));
      expect(checkKeySignature(bundle, key.publicKey)).toMatchObject({ fits: true });
      key.close();
    }
    const open = (uri: string) => openPkcs11Key(parsePkcs11Uri(uri), pkcs11js, { GLACIS_PKCS11_PIN: '1234' });
    await expect(open(`pkcs11:token=test;object=none?${base}`)).rejects.toMatchObject({
      code: 'key/unusable',
    });
    await expect(open(`pkcs11:token=test;id=%01?${base}`)).rejects.toThrow(/got several/);
    await expect(open(`pkcs11:token=none;object=a?${base}`)).rejects.toMatchObject({
      code: 'signing/unavailable',
    });
    await expect(open(`pkcs11:object=a?${base}&pin-value=0`)).rejects.toMatchObject({
      code: 'signing/unavailable',
    });
    await expect(open('pkcs11:object=a?module-path=/none.so')).rejects.toMatchObject({
      code: 'signing/unavailable',
    });
    await expect(open('pkcs11:object=a?module-name=none')).rejects.toThrow(/module-path=FILE names it/);
  });
});
