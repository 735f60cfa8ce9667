import { z } from 'zod';
import type { Claim, Reading } from './claim.ts';
import { MOST_ENTRIES, measure, time } from './measure-schemas.ts';

/** The version of the format of {@link readMeasures}, as its field `schema` carries it. */
export const MEASURES_SCHEMA = 'glacis.measures/1';

const measures = z.object({
  model: z.object({ digest: z.string() }),
  finishedAt: time,
  tool: z.string().max(500),
  measures: z.array(measure).min(1).max(MOST_ENTRIES),
});

/** What another tool measured, in the words of requirements (docs/policy.md has the format). */
export function readMeasures(document: unknown): Reading {
  const { model, finishedAt, tool, measures: claims } = measures.parse(document);
  return { claims, time: finishedAt, looked: model.digest, notes: [`measured by ${tool}`] };
}

/** When a scan or a search ran and what it looked at; those of older versions do not say. */
const looked = {
  finishedAt: time.optional(),
  model: z
    .object({ digest: z.string(), digests: z.array(z.string().max(200)).max(1_000_000) })
    .nullish()
    .transform((model) => (model ? [model.digest, ...model.digests] : undefined)),
};

const scan = z.object({
  verdict: z.string().max(100),
  files: z
    .array(z.object({ verdict: z.string().max(100) }))
    .min(1)
    .max(1_000_000),
  ...looked,
});

/**
 * The verdict of a scan: its own, and that of every file, so that no file is worse than the whole says. A scan of no file says nothing.
 */
export function readScan(document: unknown): Reading {
  const { verdict, files, finishedAt, model } = scan.parse(document);
  const verdicts = new Set([verdict, ...files.map((file) => file.verdict)]);
  return {
    claims: [...verdicts].map((each) => ({ kind: 'scan', verdict: each })),
    time: finishedAt,
    covered: model,
    notes: [],
  };
}

const secrets = z.object({
  files: z.int().min(1),
  findings: z.array(z.unknown()).max(1_000_000),
  unread: z.array(z.unknown()).max(1_000_000),
  known: z.int().min(0),
  ...looked,
});

/** How many secrets a search found and how many files it could not read. A search of no file says nothing. */
export function readSecrets(document: unknown): Reading {
  const { findings, unread, known, finishedAt, model } = secrets.parse(document);
  return {
    claims: [{ kind: 'secrets', found: findings.length, unread: unread.length }],
    time: finishedAt,
    covered: model,
    notes: known > 0 ? [`${known} more are in its baseline`] : [],
  };
}

const promise = z.object({ epsilon: z.number().min(0), delta: z.number().gt(0).lt(1) });

const training = z.object({
  model: z.object({ digest: z.string() }),
  finishedAt: time,
  privacy: z
    .object({
      statements: z.array(promise).max(10),
      allRuns: z.object({ statement: promise }).nullable(),
    })
    .optional(),
});

/**
 * What a training record says: the promise of all runs on the data where its ledger knew them, else of this run. Every statement of a run
 * is a bound that holds, so the smallest epsilon counts. A run with a test seed states nothing and so claims nothing.
 */
export function readTraining(document: unknown): Reading {
  const { model, finishedAt, privacy } = training.parse(document);
  const stated = privacy?.allRuns ? [privacy.allRuns.statement] : (privacy?.statements ?? []);
  const least = stated.toSorted((a, b) => a.epsilon - b.epsilon)[0];
  const alone = privacy && !privacy.allRuns && least ? ['of this run alone: no ledger was kept'] : [];
  return {
    claims: least ? [{ kind: 'privateTraining', epsilon: least.epsilon, delta: least.delta }] : [],
    time: finishedAt,
    looked: model.digest,
    notes: alone,
  };
}

const provenance = z.object({
  buildDefinition: z.object({
    externalParameters: z.unknown(),
    resolvedDependencies: z
      .array(z.object({ uri: z.string().max(2000).optional() }))
      .max(MOST_ENTRIES)
      .optional(),
  }),
  runDetails: z.object({
    builder: z.object({ id: z.string().min(1).max(2000) }),
    metadata: z.object({ finishedOn: time.optional(), startedOn: time.optional() }).optional(),
  }),
});

/** Who made the model, and from what (https://slsa.dev/spec/v1.0/provenance). A dependency without a URI is a source without a name. */
export function readProvenance(predicate: unknown): Reading {
  const { buildDefinition, runDetails } = provenance.parse(predicate);
  const sources = (buildDefinition.resolvedDependencies ?? []).map(({ uri }) => uri ?? '');
  const claim: Claim = { kind: 'provenance', builder: runDetails.builder.id, sources };
  const { finishedOn, startedOn } = runDetails.metadata ?? {};
  return { claims: [claim], time: finishedOn ?? startedOn, notes: [] };
}

const timestamped = z.object({ metadata: z.object({ timestamp: time }) });

/** When a bill of materials was made (CycloneDX). What is in it is not looked at. */
export function readBillOfMaterials(predicate: unknown): Reading {
  const { success, data } = timestamped.safeParse(predicate);
  return { claims: [], time: success ? data.metadata.timestamp : undefined, notes: [] };
}

const tested = z.object({ result: z.string().max(100), timeCreated: time.optional() });

/** Somebody's tests (https://in-toto.io/attestation/test-result/v0.1): those that failed must not count. `undefined` where it is something else. */
export function readTestResult(predicate: unknown): Reading | undefined {
  const { success, data } = tested.safeParse(predicate);
  if (!success) return undefined;
  const good = data.result === 'PASSED' || data.result === 'WARNED';
  return {
    claims: [],
    time: data.timeCreated,
    ...(good ? {} : { refuses: `it says ${data.result}` }),
    notes: [],
  };
}

const summary = z.object({ timeVerified: time, verificationResult: z.string().max(100) });

/** Another verifier's decision (https://slsa.dev/spec/v1.0/verification_summary). One that did not pass must not count as one. */
export function readVerificationSummary(predicate: unknown): Reading {
  const { timeVerified, verificationResult } = summary.parse(predicate);
  return {
    claims: [],
    time: timeVerified,
    ...(verificationResult === 'PASSED' ? {} : { refuses: `it says ${verificationResult}` }),
    notes: [],
  };
}
