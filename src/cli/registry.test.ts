import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fromBase64 } from '../ledger/note-key.ts';
import { verifyProof } from '../ledger/proof-file.ts';
import { logTrustOf, parseTrust } from '../registry/trust.ts';
import { fingerprintOf } from '../supply/sign/ec-key.ts';
import { keySigner } from '../supply/sign/key-method.ts';
import { signModel } from '../supply/sign/sign-model.ts';
import { readArgs } from './args.ts';
import { command } from './registry.ts';

let folder = '';
const started = process.cwd();
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-registry-cli-'));
  process.chdir(folder);
  vi.stubEnv('GLACIS_REGISTRY_HOME', join(folder, 'home'));
  await writeFile('model.onnx', 'weights');
  await writeFile('assessment.json', '{}');
});
afterEach(async () => {
  process.chdir(started);
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a line `glacis registry …` in this process and gives its output and exit code. */
async function run(line: string): Promise<{ readonly text: string; readonly exit: number }> {
  const args = line.split(' ').slice(2);
  let text = '';
  const exit = await command.run({
    given: readArgs(args, command.options),
    args,
    signal: new AbortController().signal,
    terminal: {
      width: 100,
      print: (t) => (text += t),
      say: () => {},
      progress: () => {},
      clear: () => {},
      bold: (t) => t,
    },
  });
  return { text, exit };
}

/** Runs the lines of the shell blocks of the guide, in order. */
async function runGuide(block: number): Promise<string> {
  const guide = await readFile(join(started, 'docs/registry.md'), 'utf8');
  const lines = [...guide.matchAll(/^```sh\n([\s\S]*?)^```$/gm)][block]![1]!.trim().split('\n');
  let text = '';
  for (const line of lines)
    if (line.startsWith('glacis ')) text += (await run(line)).text;
    else execFileSync('sh', ['-c', line]);
  return text;
}

describe('glacis registry', () => {
  it('does what the guide says, and its proof checks without the registry', async () => {
    const text = await runGuide(0);
    expect(text).toContain('waits: 1 of 2 have signed (alice)');
    expect(text).toContain('digits:production is 1, entry 3');
    expect(text).toContain('checks are good');
    expect(await readFile('digits/model.onnx', 'utf8')).toBe('weights');
    const proof = await readFile('digits.tlog-proof', 'utf8');
    const trust = logTrustOf(parseTrust(await readFile('models.trust.json'), 'trust'));
    const entry = fromBase64(/^extra (.+)$/m.exec(proof)![1]!)!;
    expect(verifyProof(proof, entry, trust).index).toBe(3);
    expect(JSON.stringify(JSON.parse(entry.toString()))).toContain('signatures');
    await runGuide(1);
    expect(await readFile('digits-2/model.onnx', 'utf8')).toBe('weights');
  });

  it('promotes with --policy only what the gate lets through, and keeps its decision', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile('ci.pub', publicKey.export({ type: 'spki', format: 'pem' }));
    await writeFile('model.sig', (await signModel('model.onnx', keySigner(privateKey))).bundle);
    await writeFile(
      'glacis.yaml',
      `schema: glacis.policy/1
signers: { ci: { key: 'sha256:${fingerprintOf(publicKey)}' } }
defaults: { signers: [ci], fresh: 30 days }
models: [{ name: digits, stages: { production: [{ require: signature }] } }]
`,
    );
    await runGuide(0);
    await writeFile('model.onnx', 'other weights');
    const at = '--registry ./models --key alice.pem';
    await run(`glacis registry push model.onnx digits@2 ${at}`);
    const promote =
      'glacis registry promote digits@2 production --registry ./models --policy glacis.yaml --evidence-trust ci.pub';
    await expect(run(`${promote} --key alice.pem --evidence model.sig`)).rejects.toThrow(
      'does not let it through',
    );
    await writeFile('model.sig', (await signModel('model.onnx', keySigner(privateKey))).bundle);
    expect((await run(`${promote} --key alice.pem --evidence model.sig`)).text).toContain('1 of 2');
    expect((await run(`${promote} --key bob.pem`)).text).toContain('production is 2');
    expect((await run('glacis registry show digits:production --registry ./models')).text).toContain(
      'gate-decision.json',
    );
    expect((await run('glacis registry verify --registry ./models')).exit).toBe(0);
  });

  it('freezes a registry, says so to whoever promotes, and thaws it', async () => {
    await runGuide(0);
    const at = '--registry ./models';
    await run(`glacis registry freeze ${at} --key bob.pem --reason incident-7`);
    expect((await run(`glacis registry list ${at}`)).text).toMatch(/FROZEN since .* by bob: incident-7/);
    await run(`glacis registry push model.onnx digits@9 ${at} --key alice.pem`);
    await expect(
      run(`glacis registry promote digits@9 production ${at} --key bob.pem --evidence assessment.json`),
    ).rejects.toThrow(/frozen since .* incident-7/);
    expect((await run(`glacis registry thaw ${at} --key bob.pem --reason over`)).text).toContain('1 of 2');
    expect((await run(`glacis registry thaw ${at} --key alice.pem --reason over`)).text).toContain('again');
    expect((await run(`glacis registry list ${at}`)).text).not.toContain('FROZEN');
    expect((await run(`glacis registry verify ${at}`)).exit).toBe(0);
  });

  it('leaves with 1 when something is wrong, and writes what as JSON', async () => {
    await runGuide(0);
    await run('glacis registry revoke digits@1 --registry ./models --key bob.pem --reason backdoor');
    expect((await run('glacis registry verify --registry ./models --json r.json')).exit).toBe(1);
    const result = JSON.parse(await readFile('r.json', 'utf8')) as {
      ok: boolean;
      checks: { ok: boolean; what: string }[];
    };
    expect(result.checks.filter(({ ok }) => !ok).map(({ what }) => what)).toEqual([
      'alias digits:production',
    ]);
    expect((await run('glacis registry list --registry ./models')).text).toContain('REVOKED');
    await expect(run('glacis registry pull digits:production --registry ./models --out x')).rejects.toThrow(
      'backdoor',
    );
  });

  it.each([
    ['glacis registry nothing', 'did you mean|expected init'],
    ['glacis registry promoet a@1 production', "did you mean 'promote'"],
    ['glacis registry push model.onnx', 'expected MODEL NAME@VERSION'],
    ['glacis registry list', '--registry: expected a LOCATION'],
    ['glacis registry push model.onnx Net@1 --registry x --key k', 'names in lower case'],
    ['glacis registry pull net:production --registry x', '--out'],
    ['glacis registry rollback net@1 production --registry x', '--reason'],
    ['glacis registry init ./r', '--key'],
    ['glacis registry list --registry ./nothing', 'expected --trust FILE'],
    ['glacis registry list --registry ftp://x', 'expected a folder'],
  ])('%s is refused with a word on what is missing', async (line, message) => {
    await expect(run(line)).rejects.toThrow(new RegExp(message));
  });

  it('finds blobs in another folder, from wherever it is called', async () => {
    execFileSync('sh', ['-c', 'openssl ecparam -name prime256v1 -genkey -noout -out a.pem']);
    await run('glacis registry init ./r --key a.pem --blobs ./elsewhere');
    await run('glacis registry push model.onnx net@1 --registry ./r --key a.pem');
    await mkdir('sub');
    process.chdir('sub');
    expect((await run('glacis registry verify --registry ../r')).exit).toBe(0);
    process.chdir(folder);
    expect(await readdir('elsewhere/blobs/sha256')).toHaveLength(3);
  });

  it('does not put the log key into the registry, where who copies the storage would get it', async () => {
    execFileSync('sh', ['-c', 'openssl ecparam -name prime256v1 -genkey -noout -out a.pem']);
    await expect(run('glacis registry init ./r --key a.pem --log-key ./r/log.pem')).rejects.toThrow(
      'outside the registry',
    );
    execFileSync('sh', ['-c', 'openssl genpkey -algorithm ed25519 -out b.pem']);
    await expect(run('glacis registry init ./r --key a.pem --approver b=b.pem')).rejects.toThrow(
      'signature of an approver',
    );
    await run('glacis registry init ./r --key a.pem --max-age 1h');
    await expect(run('glacis registry init ./r --key a.pem')).rejects.toThrow('expected no key there');
    await expect(run('glacis registry init ./q --key a.pem --max-age soon')).rejects.toThrow('12h or 30d');
  });
});
