import { z } from 'zod';
import type { Reading } from './claim.ts';
import { time } from './measure-schemas.ts';
import { readAssessment } from './read-assessment.ts';
import {
  MEASURES_SCHEMA,
  readBillOfMaterials,
  readMeasures,
  readProvenance,
  readScan,
  readSecrets,
  readTestResult,
  readTraining,
  readVerificationSummary,
} from './read-documents.ts';
import {
  BILL_OF_MATERIALS,
  SLSA_PROVENANCE,
  type Statement,
  TEST_RESULT,
  VERIFICATION_SUMMARY,
} from './statement.ts';

/** A statement and what it says. */
export type Evidence =
  | { readonly statement: Statement; readonly reading: Reading }
  /** Not verified, or of no form that is known: it counts for nothing. */
  | { readonly statement: Statement; readonly problem: string };

type Reader = (content: unknown) => Reading;

/** Readers of predicates that are formats of their own. */
const BY_PREDICATE: ReadonlyMap<string, Reader> = new Map([
  [SLSA_PROVENANCE, readProvenance],
  [BILL_OF_MATERIALS, readBillOfMaterials],
  [VERIFICATION_SUMMARY, readVerificationSummary],
]);

/** Readers of Glacis results, by their field `schema`. */
const BY_SCHEMA: ReadonlyMap<string, Reader> = new Map([
  ['glacis.assessment/1', readAssessment],
  ['glacis.training/1', readTraining],
  ['glacis.scan/1', readScan],
  ['glacis.secrets/1', readSecrets],
  [MEASURES_SCHEMA, readMeasures],
]);

/**
 * Reads statements once, so that any number of decisions can be made on them. The content of a statement whose envelope was not verified
 * is not looked at. Never throws for what a statement holds.
 */
export function readEvidence(statements: readonly Statement[]): readonly Evidence[] {
  return statements.map((statement) => {
    if (statement.check.verified !== true)
      return { statement, problem: `not verified: ${statement.check.reason}` };
    try {
      return { statement, reading: readingOf(statement) };
    } catch (thrown) {
      return { statement, problem: `verified, but it cannot be read: ${reasonOf(thrown)}` };
    }
  });
}

function readingOf({ predicateType, predicate }: Statement): Reading {
  const reader = BY_PREDICATE.get(predicateType);
  if (reader) return reader(predicate);
  const tests = predicateType === TEST_RESULT ? readTestResult(predicate) : undefined;
  if (tests) return tests;
  const document = documentIn(predicate);
  if (document === undefined) return { claims: [], time: undefined, notes: [] };
  const known = BY_SCHEMA.get(document.schema);
  if (!known) throw new Error(`it holds a ${document.schema.slice(0, 60)}, which this version does not know`);
  const reading = known(document);
  return reading.time === undefined ? { ...reading, time: timeIn(predicate) } : reading;
}

/** When the statement around a result was made, for results that do not say when they were. */
function timeIn(predicate: unknown): number | undefined {
  const found = created.safeParse(predicate);
  return found.success ? found.data.timeCreated : undefined;
}

const created = z.object({ timeCreated: time });
const glacis = z.looseObject({ schema: z.string().regex(/^glacis\./) });
const holder = z.object({ result: glacis });

/** The Glacis result that a predicate is or holds. */
function documentIn(predicate: unknown): { readonly schema: string } | undefined {
  const own = glacis.safeParse(predicate);
  if (own.success) return own.data;
  const held = holder.safeParse(predicate);
  return held.success ? held.data.result : undefined;
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof z.ZodError) {
    const [issue] = thrown.issues;
    return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`.slice(0, 200);
  }
  return thrown instanceof Error ? thrown.message.slice(0, 200) : 'unknown';
}
