import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { statementFrom } from '../supply/provenance/from-result.ts';
import { signStatement } from '../supply/provenance/statement.ts';
import { fingerprintOf } from '../supply/sign/ec-key.ts';
import { keySigner } from '../supply/sign/key-method.ts';
import { readManifest } from '../supply/sign/read-manifest.ts';
import { openEvidence } from './evidence/open-evidence.ts';
import { readEvidence } from './evidence/read-statement.ts';
import { trustFrom } from './evidence/trust.ts';
import { decide } from './gate/decide.ts';
import { parsePolicy } from './read-policy.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-outside-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const model = join(folder, 'net.onnx');
writeFileSync(model, 'weights');

/** The document of measures that docs/policy.md shows, about this model. */
const DOCUMENTED = /"schema": "glacis.measures\/1"[\s\S]*?\n```/.exec(
  readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8'),
)![0];

async function answers(requirement: string) {
  const { manifest } = await readManifest(model);
  const digest = `sha256:${manifest.resources[0]!.digest}`;
  const text = `{${DOCUMENTED.replace('\n```', '').replace(/sha256:<[^>]*>/, digest)}`;
  const now = new Date('2026-11-22T00:00:00Z');
  const subject = { name: 'net.onnx', digest, files: [digest] };
  // A model of one file has the digest of its digest.
  const rooted = { ...subject, digest: (await openEvidence(model, opening([]))).model.roots[0]! };
  const statement = statementFrom(text, rooted, { version: '0', now });
  const file = join(folder, 'measures.json');
  writeFileSync(file, await signStatement(statement, keySigner(privateKey)));
  const opened = await openEvidence(model, opening([file]));
  const policy = parsePolicy(`schema: glacis.policy/1
signers: { lab: { key: 'sha256:${fingerprintOf(publicKey)}' } }
threats: { near: { norm: l2, eps: 0.5 } }
defaults: { signers: [lab], fresh: 30 days }
models: [{ name: '*', stages: { production: [${requirement}] } }]
`);
  const question = { model: opened.model, stage: 'production', evidence: readEvidence(opened.statements) };
  const { requirements } = decide(policy, { ...question, now: now.getTime() });
  return requirements.map(({ state }) => state);
}

const opening = (paths: readonly string[]) => ({
  paths,
  threads: 1,
  trust: {
    ...trustFrom(Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })), 'lab.pub'),
    identities: [],
    at: new Date('2026-11-22T00:00:00Z'),
  },
});

describe('what Glacis does not measure itself', () => {
  it.each([
    ['certifiedAccuracy', 'threat: near, atLeast: 0.5', 'threat: near, atLeast: 0.6'],
    ['membershipInference', 'tprAtMost: 0.01, atFpr: 0.001', 'tprAtMost: 0.005, atFpr: 0.001'],
    ['extraction', 'fidelityAtMost: 0.9, queries: 10000', 'fidelityAtMost: 0.8, queries: 10000'],
    ['backdoor', 'methods: [neural-cleanse]', ''],
  ])(
    'can be required, and is shown by a document like the one of docs/policy.md: %s',
    async (kind, met, not) => {
      expect(await answers(`{ require: ${kind}, ${met} }`)).toEqual(['met']);
      if (not !== '') expect(await answers(`{ require: ${kind}, ${not} }`)).toEqual(['not-met']);
    },
  );
});
