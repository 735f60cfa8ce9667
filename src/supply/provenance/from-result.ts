import { createHash } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import { type Fields, isObject } from '../sign/json-fields.ts';
import { type Statement, type StatementSubject, statementAbout } from './statement.ts';

/** Predicates that results become. */
export const PREDICATES = {
  /** Simple Verification Result: somebody looked, and this is what was found. */
  svr: 'https://in-toto.io/attestation/svr/v0.1',
  /** How the model was made. */
  provenance: 'https://slsa.dev/provenance/v1',
  /** A decision by a policy. */
  vsa: 'https://slsa.dev/verification_summary/v1',
  /** The same decision, requirement by requirement. */
  'test-result': 'https://in-toto.io/attestation/test-result/v0.1',
  /** A bill of materials. */
  bom: 'https://cyclonedx.org/bom',
} as const;

/** One of {@link PREDICATES}. */
export type PredicateName = keyof typeof PREDICATES;

/** What a statement is made with. */
export interface AttestOptions {
  /** Another predicate than the one that goes with the result. */
  readonly as?: PredicateName | undefined;
  /** The version of Glacis, for its name as verifier and builder. */
  readonly version: string;
  /** When the statement is made. */
  readonly now: Date;
  /** The policy behind a decision, for `vsa` and `test-result`. */
  readonly policy?: { readonly uri: string; readonly digest: string } | undefined;
}

/**
 * The statement that `text`, a JSON result of Glacis or a CycloneDX bill of materials, makes about a model: a training record becomes SLSA
 * provenance, a decision of the gate a verification summary (or, asked for, a test result), every other result a Simple Verification Result that holds it whole in the
 * field `result`. A result that names the digest of a model must name this one's. Errors: `statement/invalid`.
 */
export function statementFrom(
  text: string,
  subject: StatementSubject,
  { as, version, now, policy }: AttestOptions,
): Statement {
  const result = parse(text);
  const found: PredicateName =
    as ??
    (result.bomFormat === 'CycloneDX'
      ? 'bom'
      : result.schema === 'glacis.training/1'
        ? 'provenance'
        : result.schema === 'glacis.gate/1'
          ? 'vsa'
          : 'svr');
  const about = (predicate: object) => statementAbout(subject, PREDICATES[found], predicate);
  const id = `urn:glacis:${version}`;
  if (found === 'bom') {
    if (result.bomFormat !== 'CycloneDX')
      throw invalid('expected a CycloneDX bill of materials, got another result');
    return about(result);
  }
  requireSchema(result);
  requireSameModel(result, subject);
  switch (found) {
    case 'provenance':
      return about(provenanceOf(result, text, id));
    case 'vsa':
      return about(summaryOf(result, subject, { id, now, policy }));
    case 'test-result':
      return about(testResultOf(result, { now, policy }));
    case 'svr':
      return about({
        verifier: { id },
        timeCreated: now.toISOString(),
        properties: propertiesOf(result),
        result,
      });
  }
}

function parse(text: string): Fields {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new GlacisError('statement/invalid', 'the result: expected JSON, got something else', { cause });
  }
  if (!isObject(json)) throw invalid('expected a JSON object, got another value');
  return json;
}

function requireSchema({ schema }: Fields): void {
  if (typeof schema !== 'string' || !/^glacis\.[a-z-]+\/\d+$/.test(schema))
    throw invalid("expected a result of Glacis (its field schema says 'glacis.…/1'), got another file");
}

/**
 * A result that says which model it is about must mean this one: the model as a whole, or its file; one that lists all that was looked at,
 * each of its files.
 */
function requireSameModel({ model }: Fields, { digest, files }: StatementSubject): void {
  if (!isObject(model)) return;
  const listed = Array.isArray(model.digests) ? model.digests : undefined;
  const named = [model.digest, ...(listed ?? [])].filter((each) => typeof each === 'string');
  if (named.length === 0 || named.includes(digest)) return;
  const known = new Set(named);
  const same = listed === undefined ? files.includes(named[0]!) : files.every((file) => known.has(file));
  if (files.length === 0 || !same)
    throw invalid(`expected one about this model (${digest}), got one about ${named[0]?.slice(0, 80)}`);
}

/**
 * What a result of a scan or a search says that it looked at, as the subject of a statement; `undefined` where it does not say.
 * Errors: `statement/invalid`.
 */
export function subjectOf(text: string): StatementSubject | undefined {
  const { model } = parse(text);
  if (!isObject(model) || typeof model.name !== 'string' || !Array.isArray(model.digests)) return undefined;
  const digests = [model.digest, ...model.digests];
  if (!digests.every((each) => typeof each === 'string' && /^sha256:[0-9a-f]{64}$/.test(each)))
    return undefined;
  const [digest, ...files] = digests as readonly string[];
  return { name: model.name, digest: digest!, files };
}

/** What the result says was done or found; a weak model is a result, so nothing here says that it is strong. */
function propertiesOf({ schema, verdict }: Fields): readonly string[] {
  const name = String(schema)
    .replace(/^glacis\.|\/\d+$/g, '')
    .replaceAll('-', '_')
    .toUpperCase();
  const said =
    typeof verdict === 'string' && /^[a-z-]{1,40}$/.test(verdict)
      ? [`${name}_${verdict.replaceAll('-', '_').toUpperCase()}`]
      : [];
  return [`GLACIS_${name}`, ...said.map((each) => `GLACIS_${each}`)];
}

/** SLSA provenance v1 (https://slsa.dev/spec/v1.0/provenance) of a training record. */
function provenanceOf(record: Fields, text: string, id: string): object {
  if (record.schema !== 'glacis.training/1')
    throw invalid(`provenance: expected a training record, got a ${String(record.schema)}`);
  const { config, start, command, environment, startedAt, finishedAt, data, validation } = record;
  const source = (name: string, value: unknown) => {
    if (!isObject(value) || typeof value.source !== 'string') return [];
    const digest =
      typeof value.digest === 'string' ? { digest: { sha256: value.digest.replace(/^sha256:/, '') } } : {};
    return [{ name, uri: value.source, ...digest }];
  };
  const model =
    isObject(start) && typeof start.file === 'string' && typeof start.digest === 'string'
      ? [{ name: 'start', uri: start.file, digest: { sha256: start.digest.replace(/^sha256:/, '') } }]
      : [];
  return {
    buildDefinition: {
      buildType: 'urn:glacis:training:1',
      externalParameters: { config, start, command },
      internalParameters: { environment },
      resolvedDependencies: [...source('data', data), ...source('validation', validation), ...model],
    },
    runDetails: {
      builder: { id },
      metadata: { startedOn: startedAt, finishedOn: finishedAt },
      byproducts: [
        {
          name: 'training record',
          mediaType: 'application/json',
          digest: { sha256: createHash('sha256').update(text).digest('hex') },
        },
      ],
    },
  };
}

/** SLSA verification summary v1 (https://slsa.dev/spec/v1.0/verification_summary) of a decision by the gate. */
function summaryOf(
  decision: Fields,
  { digest }: StatementSubject,
  { id, now, policy }: { readonly id: string; readonly now: Date; readonly policy: AttestOptions['policy'] },
): object {
  if (decision.schema !== 'glacis.gate/1')
    throw invalid(`vsa: expected a decision of the gate, got a ${String(decision.schema)}`);
  if (policy === undefined)
    throw invalid('vsa: expected the policy behind the decision (--policy FILE), got none');
  const at = typeof decision.at === 'string' ? decision.at : now.toISOString();
  return {
    verifier: { id },
    timeVerified: at,
    resourceUri: `urn:sha256:${digest.replace(/^sha256:/, '')}`,
    policy: { uri: policy.uri, digest: { sha256: policy.digest.replace(/^sha256:/, '') } },
    verificationResult: decision.decision === 'let-through' ? 'PASSED' : 'FAILED',
    verifiedLevels:
      decision.decision === 'let-through'
        ? [`GLACIS_GATE_${String(decision.stage ?? '').toUpperCase()}`]
        : [],
  };
}

/**
 * Test result v0.1 (https://in-toto.io/attestation/test-result/v0.1) of a decision by the gate: each requirement is a test, one that is excepted a
 * warning. `timeCreated`, which the predicate does not have, says when; readers pass over what they do not know.
 */
function testResultOf(
  { schema, decision, requirements, at }: Fields,
  { now, policy }: Pick<AttestOptions, 'now' | 'policy'>,
): object {
  if (schema !== 'glacis.gate/1' || !Array.isArray(requirements))
    throw invalid(`test-result: expected a decision of the gate, got a ${String(schema)}`);
  if (policy === undefined)
    throw invalid('test-result: expected the policy behind the decision (--policy FILE), got none');
  const named = (...states: readonly unknown[]) =>
    requirements.flatMap((answer: unknown) =>
      isObject(answer) && states.includes(answer.state) ? [String(answer.id)] : [],
    );
  const [passedTests, warnedTests] = [named('met'), named('excepted')];
  const whole = passedTests.length + warnedTests.length === requirements.length;
  const good = decision === 'let-through' && whole && requirements.length > 0;
  return {
    result: good ? (warnedTests.length > 0 ? 'WARNED' : 'PASSED') : 'FAILED',
    configuration: [{ uri: policy.uri, digest: { sha256: policy.digest.replace(/^sha256:/, '') } }],
    passedTests,
    warnedTests,
    failedTests: named('not-met', 'missing'),
    timeCreated: typeof at === 'string' ? at : now.toISOString(),
  };
}

function invalid(problem: string): GlacisError {
  return new GlacisError('statement/invalid', `the result: ${problem}`);
}
