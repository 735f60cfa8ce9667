import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
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
