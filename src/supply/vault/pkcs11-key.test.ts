import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Pkcs11Package } from '../sign/pkcs11.ts';
import { pkcs11Key } from './pkcs11-key.ts';
import { openKey, sealKey } from './sealed-key.ts';

const MODULE = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so'].find(
  existsSync,
);
/** The package compiles, so it is not among the dependencies; GLACIS_TEST_PKCS11JS names the folder of an installed one. */
const PACKAGE = process.env.GLACIS_TEST_PKCS11JS;
const tools = spawnSync('softhsm2-util', ['--version']).status === 0;
const missing =
  MODULE && PACKAGE && tools ? '' : 'SoftHSM or pkcs11js is not here (GLACIS_TEST_PKCS11JS names its folder)';
const dataKey = Buffer.alloc(32, 3);
const blobs = {
  plain: { digest: `sha256:${'1'.repeat(64)}`, size: 5 },
  stored: { digest: `sha256:${'2'.repeat(64)}`, size: 39 },
};
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was thrown',
    (thrown: { code?: string }) => thrown.code ?? String(thrown),
  );

describe('a wrapping key', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glacis-token-'));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  it.skipIf(missing !== '')('may stay in a token, which wraps and unwraps', async () => {
    await mkdir(join(folder, 'tokens'));
    await writeFile(
      join(folder, 'conf'),
      `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\n`,
    );
    vi.stubEnv('SOFTHSM2_CONF', join(folder, 'conf'));
    execFileSync('softhsm2-util', [
      '--init-token',
      '--free',
      '--label',
      'test',
      '--pin',
      '1234',
      '--so-pin',
      '5678',
    ]);
    const pkcs11js = createRequire(join(PACKAGE!, 'x.js'))('pkcs11js') as Pkcs11Package &
      Record<string, number>;
    const uri = `pkcs11:token=test;object=wrapping?module-path=${MODULE}&pin-value=1234`;
    makeTokenKey(pkcs11js, MODULE!, 'wrapping');
    const key = pkcs11Key(uri, pkcs11js, {});
    const record = await sealKey(key, dataKey, blobs);
    expect(Buffer.from(record.wrapped, 'base64')).toHaveLength(12 + 32 + 16);
    expect(Buffer.from(await openKey(key, record)).equals(dataKey)).toBe(true);
    const moved = { ...record, stored: { ...record.stored, digest: record.plain.digest } };
    expect(await code(openKey(key, moved))).toBe('vault/unreadable');
    expect(await code(pkcs11Key(uri.replace('wrapping', 'other'), pkcs11js, {}).wrap(dataKey, dataKey))).toBe(
      'key/unusable',
    );
  });
});

/** Makes an AES key in the token that never leaves it. */
function makeTokenKey(pkcs11js: Pkcs11Package & Record<string, number>, module: string, label: string): void {
  // biome-ignore lint/suspicious/noExplicitAny: only this test makes keys, with calls that the product does not use
  const token = new pkcs11js.PKCS11() as any;
  token.load(module);
  token.C_Initialize();
  const session = token.C_OpenSession(token.C_GetSlotList(true)[0], 4 | 2);
  token.C_Login(session, 1, '1234');
  token.C_GenerateKey(session, { mechanism: 0x1080 }, [
    { type: 0x0, value: 4 },
    { type: 0x1, value: true },
    { type: 0x3, value: label },
    { type: 0x100, value: 0x1f },
    { type: 0x161, value: 32 },
    { type: 0x103, value: true },
    { type: 0x162, value: false },
    { type: 0x104, value: true },
    { type: 0x105, value: true },
  ]);
  token.C_Finalize();
  token.close();
}
