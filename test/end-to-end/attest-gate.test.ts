import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sampleAssessment } from '../../src/assess/result.fixture.ts';
import { glacis } from './cli.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-attest-'));
  mkdirSync(join(home, 'evidence'));
  writeFileSync(join(home, 'm.onnx'), 'any bytes: the gate does not run the model');
});
afterAll(() => rmSync(home, { recursive: true, force: true }));
const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await glacis(args, { cwd: home });
  return { code, stdout, stderr };
};
const decide = (...more: string[]) =>
  run('gate', 'm.onnx', '--stage', 'production', '--evidence', 'evidence', '--trust', 'key.pub', ...more);

it('statements that attest makes are what the gate counts, and its decision becomes one', async () => {
  const fingerprint = (await run('keygen', 'key.pem')).stdout.split(' ')[0];
  await run('digest', 'm.onnx', '--json', 'digest.json');
  const { digest, resources } = JSON.parse(readFileSync(join(home, 'digest.json'), 'utf8'));
  const model = { ...sampleAssessment().model, digest: `sha256:${resources[0].digest}` };
  writeFileSync(join(home, 'a.json'), JSON.stringify({ ...sampleAssessment(), model }));
  writeFileSync(
    join(home, 'glacis.yaml'),
    `schema: glacis.policy/1
signers: { ci: { key: '${fingerprint}' } }
threats: { noise: { norm: linf, eps: 0.3 } }
defaults: { signers: [ci], fresh: 36500 days }
models:
  - name: '*'
    stages:
      production:
        - require: signature
        - { require: robustAccuracy, threat: noise, atLeast: 0.6 }
`,
  );
  await run('sign', 'key', 'm.onnx', '--private-key', 'key.pem', '--signature', 'evidence/m.sig');
  const missing = await decide();
  expect([missing.code, missing.stdout]).toEqual([1, expect.stringMatching(/missing\s+robustAccuracy/i)]);
  const attest = ['--model', 'm.onnx', '--private-key', 'key.pem', '--out'];
  expect((await run('attest', 'key', 'a.json', ...attest, 'evidence/a.json')).code).toBe(0);
  const passed = await decide('--json', 'decision.json');
  expect([passed.code, passed.stdout]).toEqual([0, expect.stringContaining('LET THROUGH')]);
  const summary = await run(
    'attest',
    'key',
    'decision.json',
    ...attest,
    'vsa.json',
    '--policy',
    'glacis.yaml',
  );
  expect(summary.code).toBe(0);
  const { dsseEnvelope } = JSON.parse(readFileSync(join(home, 'vsa.json'), 'utf8'));
  expect(JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString())).toMatchObject({
    subject: [{ digest: { sha256: digest.slice('sha256:'.length) } }],
    predicate: { verificationResult: 'PASSED', verifiedLevels: ['GLACIS_GATE_PRODUCTION'] },
  });
});
