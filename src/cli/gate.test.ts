import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../core/progress.ts';
import { fingerprintOf } from '../supply/sign/ec-key.ts';
import { keySigner } from '../supply/sign/key-method.ts';
import { signModel } from '../supply/sign/sign-model.ts';
import { readArgs } from './args.ts';
import { command } from './gate.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let home: string;
const at = (name: string) => join(home, name);
const read = (name: string) => JSON.parse(readFileSync(at(name), 'utf8'));

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-gate-'));
  writeFileSync(at('net.onnx'), 'weights');
  writeFileSync(at('ci.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  const { bundle, digest } = await signModel(at('net.onnx'), keySigner(privateKey));
  writeFileSync(at('net.onnx.sig'), bundle);
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'net.onnx', digest: { sha256: digest.slice(7) } }],
    predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
    predicate: {
      timeCreated: '2026-11-20T00:00:00Z',
      result: { schema: 'glacis.scan/1', verdict: 'clean', files: [{ verdict: 'clean' }] },
    },
  };
  mkdirSync(at('net.onnx.evidence'));
  const signed = await keySigner(privateKey).sign(Buffer.from(JSON.stringify(statement)));
  writeFileSync(at('net.onnx.evidence/scan.sig'), JSON.stringify(signed));
  writeFileSync(
    at('glacis.yaml'),
    `schema: glacis.policy/1
signers: { ci: { key: 'sha256:${fingerprintOf(publicKey)}' } }
defaults: { signers: [ci], fresh: 30 days }
models:
  - name: '*.onnx'
    stages:
      candidate: [{ require: signature }]
      production: [{ require: signature }, { require: scan }]
`,
  );
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs the command in this process; the policy and the time are given unless `args` say otherwise. */
async function gate(...args: string[]) {
  const given = ['--policy', at('glacis.yaml'), '--at', '2026-11-21T00:00:00Z', ...args];
  const printed: string[] = [];
  const code = await command.run({
    given: readArgs([at('net.onnx'), ...given], command.options),
    args,
    terminal: {
      width: 96,
      print: (text) => printed.push(text),
      say: () => {},
      progress: silent,
      clear() {},
      bold: (text) => text,
    },
    signal: new AbortController().signal,
  });
  return { code, stdout: printed.join('') };
}

describe('glacis gate', () => {
  it('leaves with 0 when all is met, on the evidence beside the model', async () => {
    const { code, stdout } = await gate('--stage', 'production', '--trust', at('ci.pub'));
    expect(stdout).toMatch(/^LET THROUGH {2}net\.onnx for production: 2 of 2 requirements met/);
    expect(code).toBe(0);
  });

  it('leaves with 1 without the key, without the evidence, and when it is too old', async () => {
    expect((await gate('--stage', 'production')).code).toBe(1);
    const trust = ['--trust', at('ci.pub'), '--stage', 'production'];
    expect((await gate(...trust, '--evidence', at('net.onnx.sig'))).code).toBe(1);
    const late = ['--policy', at('glacis.yaml'), '--at', '2026-12-21T00:00:00Z'];
    expect((await gate(...trust)).code).toBe(0);
    const printed: string[] = [];
    const code = await command.run({
      given: readArgs([at('net.onnx'), ...trust, ...late], command.options),
      args: [],
      terminal: {
        width: 96,
        print: (t) => printed.push(t),
        say() {},
        progress: silent,
        clear() {},
        bold: (t) => t,
      },
      signal: new AbortController().signal,
    });
    expect([code, printed.join('')]).toEqual([1, expect.stringMatching(/NOT MET {3}scan/)]);
  });

  it('writes its decision as JSON, SARIF and JUnit, with what to run next', async () => {
    const files = ['--json', at('g.json'), '--sarif', at('g.sarif'), '--junit', at('g.xml')];
    const only = ['--stage', 'production', '--trust', at('ci.pub'), '--evidence', at('net.onnx.sig')];
    await gate(...only, ...files);
    expect(read('g.json')).toMatchObject({
      schema: 'glacis.gate/1',
      decision: 'refused',
      at: '2026-11-21T00:00:00.000Z',
      model: { name: 'net.onnx', digests: [expect.stringMatching(/^sha256:/)] },
      policy: { digest: expect.stringMatching(/^sha256:/) },
      requirements: [{ state: 'met' }, { id: 'scan', state: 'missing' }],
      next: [{ id: 'scan', commands: [expect.stringMatching(/^glacis scan /), expect.anything()] }],
    });
    expect(read('g.sarif').runs[0].results).toHaveLength(1);
    expect(readFileSync(at('g.xml'), 'utf8')).toContain('errors="1"');
  });

  it('goes by the name that it is given', async () => {
    expect((await gate('--stage', 'candidate', '--trust', at('ci.pub'), '--name', 'net.pt')).code).toBe(1);
  });

  it.each([
    [['--stage', 'prodution'], /did you mean 'production'/],
    [[], /--stage: expected the stage/],
    [['--stage', 'production', '--trust', 'nowhere.pub'], /nowhere\.pub/],
    [['--stage', 'production', '--evidence', 'nowhere'], /nowhere/],
  ])('refuses wrong use: %j', async (args, problem) => {
    await expect(gate(...args)).rejects.toThrow(problem);
  });

  it('refuses a policy that is not there, no text, or a private key as trust', async () => {
    const run = (policy: string, trust: string) =>
      command.run({
        given: readArgs(
          [at('net.onnx'), '--stage', 'production', '--policy', policy, '--trust', trust],
          command.options,
        ),
        args: [],
        terminal: { width: 96, print() {}, say() {}, progress: silent, clear() {}, bold: (t) => t },
        signal: new AbortController().signal,
      });
    writeFileSync(at('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(at('latin.yaml'), Buffer.from([0xff, 0xfe, 0x00]));
    await expect(run(at('none.yaml'), at('ci.pub'))).rejects.toMatchObject({ code: 'policy/invalid' });
    await expect(run(at('latin.yaml'), at('ci.pub'))).rejects.toMatchObject({ code: 'policy/invalid' });
    await expect(run(at('glacis.yaml'), at('key.pem'))).rejects.toMatchObject({ code: 'key/unusable' });
  });
});
