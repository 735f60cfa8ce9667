import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBundle } from '../sign/bundle.ts';
import { checkKeySignature, keySigner } from '../sign/key-method.ts';
import { type AttestOptions, PREDICATES, statementFrom, subjectOf } from './from-result.ts';
import { type StatementSubject, signStatement } from './statement.ts';

const hex = (digit: string) => digit.repeat(64);
const subject: StatementSubject = {
  name: 'm.onnx',
  digest: `sha256:${hex('a')}`,
  files: [`sha256:${hex('b')}`],
};
const options: AttestOptions = { version: '1.2.3', now: new Date('2026-11-21T12:00:00Z') };
const make = (result: unknown, more: Partial<AttestOptions> = {}) =>
  statementFrom(typeof result === 'string' ? result : JSON.stringify(result), subject, {
    ...options,
    ...more,
  });
const training = {
  schema: 'glacis.training/1',
  model: { digest: `sha256:${hex('b')}` },
  start: { file: 'start.onnx', digest: `sha256:${hex('c')}` },
  data: { source: 'mnist.npz', digest: `sha256:${hex('d')}` },
  validation: { source: 'private.npz', digest: null },
  config: { epochs: 3 },
  environment: { node: '24' },
  command: 'glacis train',
  startedAt: '2026-11-20T00:00:00.000Z',
  finishedAt: '2026-11-20T01:00:00.000Z',
};
const decision = {
  schema: 'glacis.gate/1',
  stage: 'production',
  at: '2026-11-21T10:00:00Z',
  model: { digests: [subject.digest] },
};
const policy = { uri: 'glacis.yaml', digest: `sha256:${hex('e')}` };

describe('a statement', () => {
  it('of an assessment holds it whole, says when, and names the model by its root digest', () => {
    const result = { schema: 'glacis.assessment/1', model: { digest: `sha256:${hex('b')}` }, results: [] };
    expect(make(result)).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'm.onnx', digest: { sha256: hex('a') } }],
      predicateType: PREDICATES.svr,
      predicate: {
        verifier: { id: 'urn:glacis:1.2.3' },
        timeCreated: '2026-11-21T12:00:00.000Z',
        properties: ['GLACIS_ASSESSMENT'],
        result,
      },
    });
  });

  it('of a verdict says it, and of anything odd in its place nothing', () => {
    const properties = (verdict: unknown) =>
      (make({ schema: 'glacis.scan/1', verdict }).predicate as { properties: string[] }).properties;
    expect(properties('clean')).toEqual(['GLACIS_SCAN', 'GLACIS_SCAN_CLEAN']);
    expect(properties('clean"; DROP')).toEqual(['GLACIS_SCAN']);
    expect(properties({})).toEqual(['GLACIS_SCAN']);
  });

  it('of a training record is SLSA provenance with what went in', () => {
    const { predicateType, predicate } = make(training);
    expect(predicateType).toBe(PREDICATES.provenance);
    expect(predicate).toMatchObject({
      buildDefinition: {
        buildType: 'urn:glacis:training:1',
        externalParameters: { config: { epochs: 3 }, command: 'glacis train' },
        resolvedDependencies: [
          { name: 'data', uri: 'mnist.npz', digest: { sha256: hex('d') } },
          { name: 'validation', uri: 'private.npz' },
          { name: 'start', uri: 'start.onnx', digest: { sha256: hex('c') } },
        ],
      },
      runDetails: {
        builder: { id: 'urn:glacis:1.2.3' },
        metadata: { startedOn: training.startedAt, finishedOn: training.finishedAt },
        byproducts: [
          { name: 'training record', digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
        ],
      },
    });
    expect(make(training, { as: 'svr' }).predicateType).toBe(PREDICATES.svr);
  });

  it('of a decision is a verification summary that passes only what was let through', () => {
    const result = (text: string) =>
      (make({ ...decision, decision: text }, { policy }).predicate as { verificationResult: string })
        .verificationResult;
    expect(result('let-through')).toBe('PASSED');
    expect(result('refused')).toBe('FAILED');
    expect(result('anything')).toBe('FAILED');
    expect(make({ ...decision, decision: 'let-through' }, { policy }).predicate).toMatchObject({
      timeVerified: '2026-11-21T10:00:00Z',
      policy: { digest: { sha256: hex('e') } },
      verifiedLevels: ['GLACIS_GATE_PRODUCTION'],
    });
  });

  it('of a decision is, asked for, a test result with a test for each requirement', () => {
    const of = (text: string, ...states: readonly string[]) =>
      make(
        { ...decision, decision: text, requirements: states.map((state, i) => ({ id: `r${i}`, state })) },
        { policy, as: 'test-result' },
      );
    expect(of('let-through', 'met', 'met')).toMatchObject({
      predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
      predicate: {
        result: 'PASSED',
        configuration: [{ uri: 'glacis.yaml', digest: { sha256: hex('e') } }],
        passedTests: ['r0', 'r1'],
        warnedTests: [],
        failedTests: [],
        timeCreated: '2026-11-21T10:00:00Z',
      },
    });
    expect(of('let-through', 'met', 'excepted').predicate).toMatchObject({
      result: 'WARNED',
      warnedTests: ['r1'],
    });
    expect(of('refused', 'met', 'missing', 'not-met').predicate).toMatchObject({
      result: 'FAILED',
      passedTests: ['r0'],
      failedTests: ['r1', 'r2'],
    });
    const resultOf = (statement: ReturnType<typeof of>) => (statement.predicate as { result: string }).result;
    // Whatever contradicts itself has not passed.
    for (const bad of [of('let-through', 'met', 'missing'), of('let-through'), of('other', 'met')])
      expect(resultOf(bad)).toBe('FAILED');
    expect(() => make(training, { policy, as: 'test-result' })).toThrow(/expected a decision of the gate/);
    expect(() => make({ ...decision, requirements: [] }, { as: 'test-result' })).toThrow(/--policy FILE/);
  });

  it('of a bill of materials is the bill', () => {
    expect(make({ bomFormat: 'CycloneDX', specVersion: '1.7' })).toMatchObject({
      predicateType: PREDICATES.bom,
      predicate: { specVersion: '1.7' },
    });
  });

  it.each([
    ['about another model', { schema: 'glacis.assessment/1', model: { digest: `sha256:${hex('9')}` } }, {}],
    [
      'that looked at one of its files only',
      {
        schema: 'glacis.scan/1',
        model: { name: 'm', digest: `sha256:${hex('9')}`, digests: [`sha256:${hex('8')}`] },
      },
      {},
    ],
    ['that Glacis did not make', { schema: 'other/1' }, {}],
    ['that is no object', [1], {}],
    ['that is no JSON', '{', {}],
    ['of another kind as provenance', { schema: 'glacis.scan/1' }, { as: 'provenance' as const }],
    ['of another kind as a summary', { schema: 'glacis.scan/1' }, { as: 'vsa' as const, policy }],
    ['of another kind as a bill', { schema: 'glacis.scan/1' }, { as: 'bom' as const }],
    ['of a decision without its policy', decision, {}],
  ])('is refused for a result %s', (_, result, more) => {
    expect(() => make(result, more)).toThrow(expect.objectContaining({ code: 'statement/invalid' }));
  });

  it('of a scan is about this model where all of its files were looked at', () => {
    const scanned = (digest: string, ...digests: readonly string[]) =>
      make({ schema: 'glacis.scan/1', model: { name: 'all', digest, digests } }).subject[0]?.digest.sha256;
    expect(scanned(`sha256:${hex('9')}`, `sha256:${hex('b')}`, `sha256:${hex('7')}`)).toBe(hex('a'));
    expect(scanned(`sha256:${hex('a')}`)).toBe(hex('a'));
  });

  it('has the subject that a scan names itself, and none of another result', () => {
    const [digest, file] = [`sha256:${hex('a')}`, `sha256:${hex('b')}`];
    const of = (model: unknown) => subjectOf(JSON.stringify({ model }));
    expect(of({ name: 'm', digest, digests: [file] })).toEqual({ name: 'm', digest, files: [file] });
    for (const model of [
      undefined,
      null,
      { digest },
      { name: 'm', digest },
      { name: 'm', digest: 'x', digests: [] },
    ])
      expect(of(model)).toBeUndefined();
    expect(of({ name: 'm', digest, digests: [7] })).toBeUndefined();
  });

  it('is made or refused for any JSON', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 'svr', 'provenance', 'vsa', 'bom'), (text, as) => {
        try {
          make(text, { as: as as never, policy });
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'statement/invalid' });
        }
      }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (rest) => {
        make({ ...rest, schema: 'glacis.training/1', model: {} });
      }),
    );
  });

  it('is signed as a bundle over exactly itself', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const statement = make(training);
    const bundle = parseBundle(Buffer.from(await signStatement(statement, keySigner(privateKey))));
    expect(checkKeySignature(bundle, publicKey)).toMatchObject({ fits: true });
    expect(JSON.parse(Buffer.from(bundle.envelope.payload).toString())).toEqual(statement);
  });
});
