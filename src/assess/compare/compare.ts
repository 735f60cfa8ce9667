import { GlacisError } from '../../core/error.ts';
import { glacisVersion } from '../environment.ts';
import { towardsInWords } from '../towards.ts';
import { COMPARISON_SCHEMA, type ComparedModel, type Comparison } from './comparison.ts';
import { matchRuns } from './match-runs.ts';
import { notesOf } from './notes.ts';
import { rowsOf } from './rows.ts';
import { openSide, type Side, type SideOptions, sameValues } from './side.ts';

/** Colours and marks of a chart tell no more lines apart. */
const MOST_MODELS = 12;

/** How to compare. */
export interface CompareOptions extends SideOptions {
  /** Takes the samples of the sides as unrelated; they may be other data or another choice. */
  readonly unpaired?: boolean | undefined;
}

/**
 * Compares assessments of two or more models with the first of them, sample by sample: for the clean samples, every
 * attack that all were assessed with, and the worst case of each budget. A difference is claimed only where its p-value
 * (McNemar's exact test; Fisher's when unpaired), corrected for all tests that are shown, is below 0.05.
 *
 * Errors: `option/invalid` (fewer than two or more than twelve files), `data/mismatch` (other data or samples, or no attack
 * in common), and those of reading: `data/unreadable`, `data/too-large`, `result/invalid`, `run/cancelled`.
 *
 * @param files paths of assessments (`glacis assess --json`), whose per-sample files lie beside them
 * @example
 * const comparison = await compareAssessments(['before/assessment.json', 'after/assessment.json']);
 */
export async function compareAssessments(
  files: readonly string[],
  options: CompareOptions = {},
): Promise<Comparison> {
  if (files.length < 2 || files.length > MOST_MODELS)
    throw new GlacisError(
      'option/invalid',
      `compare: expected two to ${MOST_MODELS} assessments, got ${files.length}`,
    );
  const sides: Side[] = [];
  for (const file of files) sides.push(await openSide(file, options));
  for (const side of sides.slice(1)) requireSameGoal(sides[0]!, side);
  const paired = !options.unpaired;
  if (paired) for (const side of sides.slice(1)) requireSameSamples(sides[0]!, side);
  const labels = sides.map((_, i) => String.fromCharCode(65 + i));
  const matching = matchRuns(sides);
  if (matching.matched.length === 0)
    throw new GlacisError(
      'data/mismatch',
      'compare: expected an attack with the same norm and eps in every assessment, got none; assess all with the same --attacks, --norm and --eps',
    );
  const { classNames } = sides[0]!.assessment.data;
  return {
    schema: COMPARISON_SCHEMA,
    paired,
    glacis: glacisVersion(),
    models: sides.map((side, i) => modelOf(side, labels[i]!)),
    ...(classNames && { classNames }),
    rows: rowsOf(sides, matching.matched, paired),
    notes: notesOf(sides, labels, matching, paired),
  };
}

function modelOf({ file, assessment }: Side, label: string): ComparedModel {
  const { model, status, seed, environment, startedAt, data } = assessment;
  return {
    label,
    name: model.name,
    digest: model.digest,
    file,
    status,
    seed,
    glacis: environment.glacis,
    startedAt,
    data: { digest: data.digest, description: data.description, n: data.n },
  };
}

/** Throws `data/mismatch` unless attacks wanted the same of both. */
function requireSameGoal(a: Side, b: Side): void {
  const goalOf = ({ assessment: { towards } }: Side) =>
    towards
      ? `attacks that lead to ${towardsInWords(towards.choice)}`
      : 'attacks that lead away from the label';
  if (goalOf(a) === goalOf(b)) return;
  throw new GlacisError(
    'data/mismatch',
    `${b.file}: expected ${goalOf(a)} as in ${a.file}, got ${goalOf(b)}; assess both with the same --towards`,
  );
}

/** Throws `data/mismatch` unless both were assessed on the same samples with the same labels. */
function requireSameSamples(a: Side, b: Side): void {
  const [first, other] = [a.assessment.data, b.assessment.data];
  const refuse = (expected: string, got: string, what: string) =>
    new GlacisError(
      'data/mismatch',
      `${b.file}: expected ${expected} as in ${a.file}, got ${got}; ${what}, or compare with --unpaired, which sees less`,
    );
  if (first.digest !== other.digest)
    throw refuse(
      `data ${first.digest.slice(0, 19)}…`,
      `${other.digest.slice(0, 19)}…`,
      'assess both on the same file',
    );
  if (!sameValues(a.index, b.index))
    throw refuse(
      `the ${first.n} samples`,
      other.n === first.n ? 'others' : `${other.n} samples`,
      'assess both with the same --n and --shuffle',
    );
  if (!sameValues(a.labels, b.labels))
    throw refuse('the labels', 'others', 'assess both with the same labels');
}
