import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '../core/progress.ts';
import { fingerprintOf } from '../supply/sign/ec-key.ts';
import { readArgs } from './args.ts';
import { command } from './policy.ts';

let home: string;
const at = (name: string) => join(home, name);
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-policy-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Runs the command in this process. */
async function policy(...args: string[]) {
  const [printed, said]: [string[], string[]] = [[], []];
  const code = await command.run({
    given: readArgs(args, command.options),
    args,
    terminal: {
      width: 96,
      print: (text) => printed.push(text),
      say: (line) => said.push(line),
      progress: silent,
      clear() {},
      bold: (text) => text,
    },
    signal: new AbortController().signal,
  });
  return { code, stdout: printed.join(''), stderr: said.join('\n') };
}
const ANSWERS = ['--attacker', 'outsider', '--access', 'scores', '--stake', 'money'];

describe('glacis policy', () => {
  it('init writes a policy that check takes and explain says in sentences', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(at('ci.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    const out = at('glacis.yaml');
    const made = await policy('init', ...ANSWERS, '--ci', at('ci.pub'), '--eps', '4/255', '--out', out);
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('fingerprints of release') });
    expect(readFileSync(out, 'utf8')).toContain(`key: 'sha256:${fingerprintOf(publicKey)}'`);
    const checked = await policy('check', out, '--json', at('check.json'));
    expect(JSON.parse(readFileSync(at('check.json'), 'utf8'))).toMatchObject({
      schema: 'glacis.policy-check/1',
      files: [{ file: out, entries: 1, stages: ['candidate', 'production'], notes: { length: 1 } }],
    });
    expect(checked.stdout).toMatch(/well-formed: 1 entry, stages candidate, production\n {2}sha256:/);
    expect(checked.stdout).toContain('note: the fingerprint of release is still to be filled in');
    const explained = await policy('explain', out, '--taxonomy');
    expect(explained.stdout).toMatch(/small-change \(linf, eps 0\.01569\)[\s\S]*AML\.T0015 Evade AI Model/);
    await expect(policy('init', ...ANSWERS, '--out', out)).rejects.toMatchObject({
      code: 'output/unwritable',
    });
  });

  it('init refuses answers that it does not know, and needs them where there is no terminal', async () => {
    const out = ['--out', at('p.yaml')];
    await expect(policy('init', '--attacker', 'insidr', ...out)).rejects.toThrow(/did you mean 'insider'/);
    await expect(policy('init', ...ANSWERS, '--eps', 'much', ...out)).rejects.toThrow(
      /eps: expected a number above 0/,
    );
    if (!process.stdin.isTTY) await expect(policy('init', ...out)).rejects.toThrow(/--attacker: expected/);
  });

  it('check names attacks that no assessment of this version has', async () => {
    await policy('init', ...ANSWERS, '--out', at('p.yaml'));
    writeFileSync(
      at('p.yaml'),
      readFileSync(at('p.yaml'), 'utf8').replace('[autoattack]', '["autoatack(steps=3)"]'),
    );
    expect((await policy('check', at('p.yaml'))).stdout).toContain(
      "note: there is no attack autoatack in this version (did you mean 'autoattack'?)",
    );
  });

  it('check refuses what the gate would refuse', async () => {
    writeFileSync(at('bad.yaml'), 'schema: glacis.policy/1\n');
    await expect(policy('check', at('bad.yaml'))).rejects.toMatchObject({ code: 'policy/invalid' });
    await expect(policy('check')).rejects.toThrow(/expected FILE/);
    await expect(policy('chek')).rejects.toThrow(/did you mean 'check'/);
  });

  it('key prints what a signer is named by', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    writeFileSync(at('k.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    writeFileSync(at('k.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect((await policy('key', at('k.pub'))).stdout).toBe(
      `sha256:${fingerprintOf(publicKey)}  ${at('k.pub')}\n`,
    );
    await expect(policy('key', at('k.pem'))).rejects.toMatchObject({ code: 'key/unusable' });
  });

  it('schema prints the JSON Schema, or writes it', async () => {
    const { stdout } = await policy('schema');
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'object',
      title: 'glacis.yaml',
      required: ['schema', 'signers', 'models'],
    });
    await policy('schema', '--out', at('s.json'));
    expect(readFileSync(at('s.json'), 'utf8')).toBe(stdout);
  });
});
