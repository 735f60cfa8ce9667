import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { glacisVersion } from '../../src/assess/environment.ts';
import { sampleAssessment } from '../../src/assess/result.fixture.ts';
import {
  decide,
  type EnvelopeTrust,
  openEvidence,
  parsePolicy,
  readEvidence,
  trustFrom,
} from '../../src/policy/index.ts';
import { statementFrom } from '../../src/supply/provenance/from-result.ts';
import { signStatement } from '../../src/supply/provenance/statement.ts';
import { fingerprintOf } from '../../src/supply/sign/ec-key.ts';
import { keySigner } from '../../src/supply/sign/key-method.ts';
import { signModel } from '../../src/supply/sign/sign-model.ts';
import { clock, done, line } from './lines.ts';

/**
 * Decisions of the gate a second of CPU, on a policy of six requirements and six signed statements, five ways: on evidence that was
 * read before, with reading it, and from the files on (model hashed, envelopes verified) for the
 * first time, again, and again with digests of unchanged files remembered.
 */
const folder = mkdtempSync(join(tmpdir(), 'glacis-bench-gate-'));
const model = join(folder, 'net.onnx');
writeFileSync(model, Buffer.alloc(1 << 20, 7));
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signer = keySigner(privateKey);
const signed = await signModel(model, signer);
writeFileSync(join(folder, '0.sig'), signed.bundle);
const file = `sha256:${signed.manifest.resources[0]!.digest}`;
const subject = { name: 'net.onnx', digest: signed.digest, files: [file] };
const now = new Date('2026-11-21T12:00:00Z');
const assessment = sampleAssessment();
const results = [
  { schema: 'glacis.scan/1', verdict: 'clean', files: [{ verdict: 'clean' }] },
  { schema: 'glacis.secrets/1', files: 1, findings: [], unread: [], known: 0 },
  ...[0, 1, 2].map(() => ({ ...assessment, model: { ...assessment.model, digest: file } })),
];
for (const [i, result] of results.entries()) {
  const statement = statementFrom(JSON.stringify(result), subject, { version: '0', now });
  writeFileSync(join(folder, `${i + 1}.json`), await signStatement(statement, signer));
}
const policy = parsePolicy(`schema: glacis.policy/1
signers: { ci: { key: 'sha256:${fingerprintOf(publicKey)}' } }
threats: { noise: { norm: linf, eps: 0.3 } }
defaults: { signers: [ci], fresh: 90 days }
models:
  - name: '*.onnx'
    stages:
      production:
        - { require: signature }
        - { require: scan }
        - { require: secrets }
        - { require: cleanAccuracy, atLeast: 0.9 }
        - { require: robustAccuracy, threat: noise, atLeast: 0.6, attacks: ['pgd(steps=40)'], samples: 1000 }
        - { require: findings, below: critical }
`);
const pem = publicKey.export({ type: 'spki', format: 'pem' });
const trust: EnvelopeTrust = {
  ...trustFrom(Buffer.from(pem), 'ci.pub'),
  identities: [],
  at: now,
};
const paths = Array.from({ length: 6 }, (_, i) => join(folder, i === 0 ? '0.sig' : `${i}.json`));
const open = (digestCache?: string, by = trust) =>
  openEvidence(model, { paths, trust: by, threads: 1, digestCache });
const opened = await open();
const evidence = readEvidence(opened.statements);
const ask = (given = opened, read = evidence) => {
  const question = { model: given.model, stage: 'production', evidence: read, now: now.getTime() };
  if (decide(policy, question).decision !== 'let-through') throw new Error('the gate refused');
};

const rates = [
  await rate('decide', 20_000, async () => ask()),
  await rate('read and decide', 3000, async () => ask(opened, readEvidence(opened.statements))),
  await rate('open, read and decide', 1000, async () => {
    // A new key object every time, as in a process that decides once.
    const given = await open(undefined, { ...trust, keys: [createPublicKey(pem)] });
    ask(given, readEvidence(given.statements));
  }),
  await rate('open, read and decide again, by a key that verified these files before', 1000, async () => {
    const given = await open();
    ask(given, readEvidence(given.statements));
  }),
];
// A file that changed a moment ago is not remembered.
const cache = join(folder, 'digests');
while (!existsSync(cache)) await open(cache);
rates.push(
  await rate('the same with the digest of an unchanged model remembered', 1000, async () => {
    const given = await open(cache);
    ask(given, readEvidence(given.statements));
  }),
);
line('environment', { versions: { glacis: glacisVersion(), node: process.versions.node }, rates });
rmSync(folder, { recursive: true });
done();

/** How often `step` ran a second of CPU, after a tenth of the runs unseen. */
async function rate(name: string, runs: number, step: () => Promise<void>) {
  for (let i = 0; i < runs / 10; i++) await step();
  const before = clock();
  for (let i = 0; i < runs; i++) await step();
  const after = clock();
  return {
    name,
    runs,
    perCpuSecond: Math.round(runs / (after.cpu - before.cpu)),
    perSecond: Math.round(runs / (after.wall - before.wall)),
  };
}
