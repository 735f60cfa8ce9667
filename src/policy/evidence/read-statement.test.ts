import { describe, expect, it } from 'vitest';
import { sampleAssessment, sampleResult, sampleWorstCase } from '../../assess/result.fixture.ts';
import { RESULT_NORMS } from '../../assess/result.ts';
import { THREAT_NORMS } from '../../threat/threat-norms.ts';
import { hex, measuresOf, robust, statementOf } from '../policy.fixture.ts';
import type { Claim } from './claim.ts';
import { readEvidence } from './read-statement.ts';
import { SLSA_PROVENANCE, type Statement } from './statement.ts';

/** What one statement says, or why it says nothing. */
function read(predicate: unknown, more: Partial<Statement> = {}) {
  const [evidence] = readEvidence([statementOf(predicate, more)]);
  return 'problem' in evidence! ? evidence.problem : evidence!.reading;
}
const claimsOf = (predicate: unknown, kind: Claim['kind']) => {
  const reading = read(predicate);
  return typeof reading === 'string' ? reading : reading.claims.filter((claim) => claim.kind === kind);
};

describe('an assessment says', () => {
  it('robust accuracy at each budget with the attacks behind it, clean accuracy and findings', () => {
    const reading = read({ result: sampleAssessment() });
    expect(reading).toMatchObject({
      time: Date.parse('2026-11-21T08:00:21.500Z'),
      looked: `sha256:${'3f'.repeat(32)}`,
      notes: [],
    });
    expect(claimsOf(sampleAssessment(), 'robustAccuracy')).toHaveLength(3);
    expect(claimsOf(sampleAssessment(), 'robustAccuracy')).toContainEqual({
      kind: 'robustAccuracy',
      norm: 'linf',
      eps: 0.3,
      accuracy: { value: 0.674, confidence: [expect.closeTo(0.644, 2), expect.closeTo(0.703, 2)] },
      samples: 1000,
      attacks: [
        { attack: 'fgsm', options: {} },
        { attack: 'pgd', options: { steps: 40, relativeStep: 0.1, restarts: 1 } },
      ],
      data: `sha256:${'a7'.repeat(32)}`,
    });
    expect(claimsOf(sampleAssessment(), 'cleanAccuracy')).toMatchObject([
      { accuracy: { value: 0.977, confidence: [expect.closeTo(0.934, 3), 1] }, samples: 1000 },
    ]);
    expect(claimsOf(sampleAssessment(), 'findings')).toEqual([{ kind: 'findings', severities: ['high'] }]);
  });

  it('nothing of robustness where attacks led to a chosen class', () => {
    const led = sampleAssessment({ towards: { choice: 'least-likely', attacked: 977 } });
    for (const kind of ['robustAccuracy', 'findings'] as const) expect(claimsOf(led, kind)).toEqual([]);
    expect(claimsOf(led, 'cleanAccuracy')).toHaveLength(1);
    expect(read(led)).toMatchObject({ notes: [expect.stringMatching(/says nothing of robustness/)] });
  });

  it('nothing when its worst case is better than one of its attacks', () => {
    const made = sampleAssessment({
      results: [sampleResult('pgd', 0.3, [675, 977, 1000])],
      worstCases: [sampleWorstCase(0.3, [900, 977, 1000], { attacks: ['pgd'] })],
    });
    expect(read(made)).toMatch(/contradicts its own figures/);
    const outside = sampleWorstCase(0.3, [600, 977, 1000], { confidence: [0.8, 0.9] });
    expect(read(sampleAssessment({ worstCases: [outside] }))).toMatch(/contradicts its own figures/);
    const clean = sampleWorstCase(0.3, [600, 500, 1000]);
    expect(read(sampleAssessment({ worstCases: [clean] }))).toMatch(/contradicts its own figures/);
  });

  it('nothing of an attack that saw fewer samples than the worst case', () => {
    const made = sampleAssessment({
      results: [sampleResult('fgsm', 0.3, [789, 977, 1000]), sampleResult('pgd', 0.3, [5, 10, 10])],
      worstCases: [sampleWorstCase(0.3, [674, 977, 1000])],
    });
    expect(claimsOf(made, 'robustAccuracy')).toMatchObject([{ attacks: [{ attack: 'fgsm' }] }]);
  });

  it('nothing about findings when it is partial, and that it is', () => {
    const partial = sampleAssessment({ status: 'partial', statusReason: 'interrupted' });
    expect(claimsOf(partial, 'findings')).toEqual([]);
    expect(read(partial)).toMatchObject({ notes: ['the assessment is partial: interrupted'] });
  });

  it('its threats in the words of the policy', () => {
    expect(THREAT_NORMS).toEqual(RESULT_NORMS);
  });
});

describe('a training record says', () => {
  const record = (privacy: unknown) => ({
    schema: 'glacis.training/1',
    model: { digest: hex('b') },
    finishedAt: '2026-11-20T00:00:00Z',
    privacy,
  });
  const at = (epsilon: number) => ({ epsilon, delta: 1e-5 });

  it('the epsilon of all runs where a ledger knows them', () => {
    const all = record({ statements: [at(1)], allRuns: { statement: at(4) } });
    expect(read(all)).toMatchObject({ claims: [{ kind: 'privateTraining', ...at(4) }], notes: [] });
  });

  it('the tightest epsilon of its run otherwise, with a note', () => {
    const alone = record({ statements: [at(2), at(1.5)], allRuns: null });
    expect(read(alone)).toMatchObject({
      claims: [{ kind: 'privateTraining', ...at(1.5) }],
      notes: ['of this run alone: no ledger was kept'],
    });
  });

  it('nothing of a training that was not private, or that had a test seed', () => {
    expect(read(record(undefined))).toMatchObject({ claims: [] });
    expect(read(record({ statements: [], allRuns: null }))).toMatchObject({ claims: [] });
  });
});

describe('a scan and a search for secrets say', () => {
  const timeCreated = '2026-11-20T00:00:00Z';
  const scan = (verdict: string, ...files: string[]) => ({
    timeCreated,
    result: { schema: 'glacis.scan/1', verdict, files: files.map((each) => ({ verdict: each })) },
  });
  const secrets = (more: object) => ({
    timeCreated,
    result: { schema: 'glacis.secrets/1', files: 3, findings: [], unread: [], known: 0, ...more },
  });

  it('their verdicts, at the time of the statement around them', () => {
    expect(read(scan('clean', 'clean', 'clean'))).toMatchObject({
      claims: [{ kind: 'scan', verdict: 'clean' }],
      time: Date.parse(timeCreated),
    });
    expect(read(secrets({}))).toMatchObject({
      claims: [{ kind: 'secrets', found: 0, unread: 0 }],
      time: Date.parse(timeCreated),
    });
    expect(read(secrets({ findings: [{}], unread: [{}, {}], known: 2 }))).toMatchObject({
      claims: [{ kind: 'secrets', found: 1, unread: 2 }],
      notes: ['2 more are in its baseline'],
    });
  });

  it('nothing better than each file, and nothing at all of no file', () => {
    expect(read(scan('clean', 'clean', 'malicious'))).toMatchObject({
      claims: [
        { kind: 'scan', verdict: 'clean' },
        { kind: 'scan', verdict: 'malicious' },
      ],
    });
    expect(read(scan('clean'))).toMatch(/cannot be read/);
    expect(read(secrets({ files: 0 }))).toMatch(/cannot be read/);
  });
});

describe('other statements say', () => {
  it('SLSA provenance: the builder, the sources and when it was finished', () => {
    const predicate = {
      buildDefinition: {
        buildType: 'https://example.com/training/v1',
        externalParameters: {},
        resolvedDependencies: [{ uri: 'git+https://example.com/a' }, { digest: { sha256: '00' } }],
      },
      runDetails: {
        builder: { id: 'https://ci.example/1' },
        metadata: { finishedOn: '2026-11-20T00:00:00+01:00' },
      },
    };
    expect(read(predicate, { predicateType: SLSA_PROVENANCE })).toMatchObject({
      claims: [
        { kind: 'provenance', builder: 'https://ci.example/1', sources: ['git+https://example.com/a', ''] },
      ],
      time: Date.parse('2026-11-19T23:00:00Z'),
    });
    expect(read({}, { predicateType: SLSA_PROVENANCE })).toMatch(/cannot be read: buildDefinition/);
  });

  it('a bill of materials: when it was made', () => {
    const type = { predicateType: 'https://cyclonedx.org/bom' };
    expect(read({ metadata: { timestamp: '2026-11-20T00:00:00Z' } }, type)).toMatchObject({
      claims: [],
      time: Date.parse('2026-11-20T00:00:00Z'),
    });
    expect(read({}, type)).toMatchObject({ time: undefined });
  });

  it('measures of another tool: themselves', () => {
    expect(read(measuresOf([robust()]))).toMatchObject({ claims: [robust()], notes: ['measured by a test'] });
    expect(read(measuresOf([{ ...robust(), kind: 'goodness' } as never]))).toMatch(/cannot be read/);
  });

  it('of tests: that they passed, or why they do not count', () => {
    const type = { predicateType: 'https://in-toto.io/attestation/test-result/v0.1' };
    const told = (result: unknown) => read({ result, timeCreated: '2026-11-20T00:00:00Z' }, type);
    for (const good of ['PASSED', 'WARNED'])
      expect(told(good)).toEqual({ claims: [], time: Date.parse('2026-11-20T00:00:00Z'), notes: [] });
    expect(told('FAILED')).toMatchObject({ refuses: 'it says FAILED' });
    expect(told('passed')).toMatchObject({ refuses: 'it says passed' });
  });

  it('that they cannot be read, where they hold a result of a version to come', () => {
    const result = { schema: 'glacis.scan/2', verdict: 'clean', files: [{ verdict: 'clean' }] };
    expect(read({ result })).toContain('a glacis.scan/2, which this version does not know');
  });

  it('nothing, where they are of a type that no requirement asks about', () => {
    expect(read({ anything: 1 })).toEqual({ claims: [], time: undefined, notes: [] });
    expect(read(null)).toEqual({ claims: [], time: undefined, notes: [] });
  });
});
