import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issue } from '../../src/supply/sign/certificate.fixture.ts';
import { glacis } from './cli.ts';

let home: string;
const run = (...args: string[]) => glacis(args, { cwd: home });
const read = (name: string) => JSON.parse(readFileSync(join(home, name), 'utf8'));

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-signing-'));
  mkdirSync(join(home, 'model'));
  writeFileSync(join(home, 'model/weights.bin'), 'weights');
  writeFileSync(join(home, 'model/README.md'), 'read me');
  expect((await run('keygen', 'key.pem')).code).toBe(0);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('glacis sign key and verify key', () => {
  it('sign a folder with the signature in it, and name each file that differs afterwards', async () => {
    const sign = ['sign', 'key', 'model', '--private-key', 'key.pem', '--signature', 'model/model.sig'];
    const signed = await run(...sign, '--ignore-paths', 'model/README.md', '--json', 'signed.json');
    expect([signed.code, signed.stdout]).toEqual([
      0,
      expect.stringMatching(/^sha256:[0-9a-f]{64} {2}model\nsigned 1 file by key/),
    ]);
    const verify = ['verify', 'key', 'model', '--public-key', 'key.pub', '--signature', 'model/model.sig'];
    const good = await run(...verify);
    expect([good.code, good.stdout]).toEqual([
      0,
      expect.stringContaining(`Verified  model  ${read('signed.json').digest}`),
    ]);
    writeFileSync(join(home, 'model/README.md'), 'changed, and not signed');
    expect((await run(...verify)).code).toBe(0);
    writeFileSync(join(home, 'model/weights.bin'), 'WEIGHTS');
    writeFileSync(join(home, 'model/new\u001b[31m.py'), 'x');
    const bad = await run(...verify, '--json', 'verdict.json');
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(
      /REFUSED.*1 changed, 1 not signed\n\s+changed {2}weights\.bin\n\s+extra {4}new/s,
    );
    expect(bad.stdout).not.toContain('\u001b[31m');
    expect(read('verdict.json')).toMatchObject({ schema: 'glacis.verification/1', verdict: 'refused' });
    rmSync(join(home, 'model/new\u001b[31m.py'));
    writeFileSync(join(home, 'model/weights.bin'), 'weights');
  });

  it('leave with 2 and a code for what cannot be judged', async () => {
    const code = async (...args: string[]) => {
      const { code, stderr } = await run(...args);
      return [code, /\[([\w/]+)\]/.exec(stderr)?.[1]];
    };
    writeFileSync(
      join(home, 'rsa.pem'),
      '-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----\n',
    );
    writeFileSync(join(home, 'no.sig'), '{}');
    expect(await code('sign', 'key', 'model', '--private-key', 'rsa.pem')).toEqual([2, 'key/unusable']);
    expect(await code('sign', 'key', 'model', '--private-key', 'key.pub')).toEqual([2, 'key/unusable']);
    expect(await code('sign', 'key', 'none', '--private-key', 'key.pem')).toEqual([2, 'model/unreadable']);
    expect(await code('sign', 'pgp', 'model')).toEqual([2, 'option/invalid']);
    expect(await code('sign', 'key', 'model')).toEqual([2, 'option/invalid']);
    const verify = ['verify', 'key', 'model', '--public-key', 'key.pub', '--signature'];
    expect(await code(...verify, 'no.sig')).toEqual([2, 'signature/unreadable']);
    expect(await code(...verify, 'missing.sig')).toEqual([2, 'signature/unreadable']);
    expect(await code(...verify, 'no.sig', '--require-pq')).toEqual([2, 'option/invalid']);
    // Looked at by another method only: whoever gives it believes that it was.
    expect(await code(...verify, 'no.sig', '--identity', 'somebody')).toEqual([2, 'option/invalid']);
    expect(existsSync(join(home, 'model.sig'))).toBe(false);
  });

  it('say what is missing for tokens and identities', async () => {
    const { code, stderr } = await run('sign', 'sigstore', 'model');
    expect([code, stderr]).toEqual([2, expect.stringContaining('GLACIS_IDENTITY_TOKEN')]);
    const pkcs11 = await run(
      'sign',
      'pkcs11-key',
      'model',
      '--pkcs11-uri',
      'pkcs11:object=k?module-path=/none.so',
    );
    expect(pkcs11.code).toBe(3);
    expect(pkcs11.stderr).toMatch(/npm install pkcs11js|expected a module that loads/);
  });
});

describe('keys', () => {
  it('are written for their owner alone, and never over others', async () => {
    expect(statSync(join(home, 'key.pem')).mode & 0o077).toBe(0);
    expect((await run('keygen', 'key.pem')).code).toBe(2);
  });

  it('of two kinds sign together, and one alone is not enough where both are asked', async () => {
    await run('keygen', 'pq.pem', '--type', 'ml-dsa-65');
    const sign = ['sign', 'key', 'model/weights.bin', '--private-key', 'key.pem', '--signature', 'w.sig'];
    expect((await run(...sign, '--pq-private-key', 'pq.pem')).code).toBe(0);
    const verify = ['verify', 'key', 'model/weights.bin', '--public-key', 'key.pub', '--signature', 'w.sig'];
    const both = [...verify, '--pq-public-key', 'pq.pub', '--require-pq'];
    expect((await run(...both)).stdout).toMatch(/Verified .*ML-DSA-65 key/s);
    rmSync(join(home, 'w.pq.sig'));
    expect((await run(...verify)).code).toBe(0);
    const without = await run(...both);
    expect([without.code, without.stdout]).toEqual([1, expect.stringContaining('no post-quantum signature')]);
  });
});

it('a certificate is judged now, or at the time that is given', async () => {
  const root = issue({ name: 'root', authority: true, keyUsage: 0x04 });
  const leaf = issue({ name: 'leaf', issuer: root, keyUsage: 0x80, to: '2026-03-01T00:00:00' });
  writeFileSync(join(home, 'root.crt'), root.pem);
  writeFileSync(join(home, 'leaf.crt'), leaf.pem);
  writeFileSync(join(home, 'leaf.pem'), leaf.key.export({ type: 'pkcs8', format: 'pem' }));
  const sign = [
    'sign',
    'certificate',
    'model',
    '--private-key',
    'leaf.pem',
    '--signing-certificate',
    'leaf.crt',
  ];
  expect((await run(...sign, '--signature', 'c.sig')).code).toBe(0);
  const verify = [
    'verify',
    'certificate',
    'model',
    '--certificate-chain',
    'root.crt',
    '--signature',
    'c.sig',
  ];
  const now = await run(...verify);
  expect([now.code, now.stdout]).toEqual([1, expect.stringContaining('it expired on 2026-03-01')]);
  expect((await run(...verify, '--at', '2026-02-01')).code).toBe(0);
  expect((await run(...verify, '--at', 'yesterday')).code).toBe(2);
});

it('a result becomes a signed statement about the model, and a bill of materials too', async () => {
  const { stdout } = await run('digest', 'model/weights.bin', '--files', '--json', 'digest.json');
  const [{ digest }] = read('digest.json').resources;
  expect(stdout).toBe(`${read('digest.json').digest}\nsha256:${digest}  .\n`);
  writeFileSync(
    join(home, 'a.json'),
    JSON.stringify({ schema: 'glacis.assessment/1', model: { digest: `sha256:${digest}` } }),
  );
  const attest = ['--model', 'model/weights.bin', '--private-key', 'key.pem'];
  expect((await run('attest', 'key', 'a.json', ...attest)).code).toBe(0);
  const statement = (name: string) =>
    JSON.parse(Buffer.from(read(name).dsseEnvelope.payload, 'base64').toString());
  expect(statement('a.statement.json')).toMatchObject({
    subject: [{ name: 'weights.bin', digest: { sha256: read('digest.json').digest.slice(7) } }],
    predicateType: 'https://in-toto.io/attestation/svr/v0.1',
    predicate: { result: { schema: 'glacis.assessment/1' } },
  });
  expect((await run('bom', 'model/weights.bin', '--result', 'a.json')).code).toBe(0);
  expect((await run('attest', 'key', 'bom.cdx.json', ...attest)).code).toBe(0);
  expect(statement('bom.cdx.statement.json').predicate.bomFormat).toBe('CycloneDX');
  appendFileSync(join(home, 'model/weights.bin'), '!');
  const other = await run('attest', 'key', 'a.json', ...attest);
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('statement/invalid')]);
});
