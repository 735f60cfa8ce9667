import { GlacisError } from '../../core/error.ts';
import { type Fields, isObject } from '../sign/json-fields.ts';

/** A measure as CycloneDX has it: values are texts. */
export interface Metric {
  readonly type: string;
  readonly value: string;
  readonly slice: string;
  readonly confidenceInterval?: { readonly lowerBound: string; readonly upperBound: string };
}

/** What results say that a bill of materials has a place for. */
export interface ResultFacts {
  readonly metrics: readonly Metric[];
  /** Data that the model was made or judged with; a digest in hexadecimal where it is known. */
  readonly data: readonly { readonly name: string; readonly digest?: string; readonly use: string }[];
  /** Whether it was trained on labelled data here. */
  readonly supervised: boolean;
  /** The recipe that it was built by, where it was. */
  readonly recipe?: string;
}

/**
 * Reads assessments and training records. What they hold beyond that is left out. Errors: `statement/invalid` for a result about another
 * model than one of `digests`, or of a kind that is not known.
 */
export function readResults(results: readonly Fields[], digests: readonly string[]): ResultFacts {
  const metrics: Metric[] = [];
  const data: { name: string; digest?: string; use: string }[] = [];
  let supervised = false;
  let recipe: string | undefined;
  const addData = (value: unknown, use: string) => {
    if (!isObject(value)) return;
    const name = text(value.source) ?? text(value.description) ?? 'data';
    const digest = /^sha256:([0-9a-f]{64})$/.exec(text(value.digest) ?? '')?.[1];
    data.push({ name, ...(digest ? { digest } : {}), use });
  };
  for (const result of results) {
    const about = isObject(result.model) ? text(result.model.digest) : undefined;
    if (about === undefined || !digests.includes(about))
      throw new GlacisError(
        'statement/invalid',
        `a result: expected one about this model (${digests[0]}), got one about ${about?.slice(0, 80) ?? 'no model'}`,
      );
    if (result.schema === 'glacis.assessment/1') {
      metrics.push(...accuracies(result));
      addData(result.data, 'the robustness was measured on it');
    } else if (result.schema === 'glacis.training/1') {
      supervised = true;
      if (isObject(result.start)) recipe = text(result.start.recipe) ?? recipe;
      addData(result.data, 'the model was trained on it');
      addData(result.validation, 'the training was validated on it');
    } else
      throw new GlacisError(
        'statement/invalid',
        `a result: expected an assessment or a training record, got ${String(result.schema).slice(0, 80)}`,
      );
  }
  return { metrics, data, supervised, ...(recipe === undefined ? {} : { recipe }) };
}

/** Clean accuracy, and robust accuracy over all attacks at each budget; attacks that led to a chosen class say nothing of the latter. */
function accuracies({ worstCases, results, towards }: Fields): readonly Metric[] {
  const rows = (Array.isArray(worstCases) && worstCases.length > 0 ? worstCases : results) as unknown;
  if (!Array.isArray(rows)) return [];
  const found: Metric[] = [];
  for (const row of rows) {
    if (!isObject(row) || typeof row.robustAccuracy !== 'number' || typeof row.n !== 'number') continue;
    if (found.length === 0 && typeof row.cleanAccuracy === 'number')
      found.push({ type: 'accuracy', value: String(row.cleanAccuracy), slice: `${row.n} samples` });
    if (towards !== undefined) continue;
    const attacks = Array.isArray(row.attacks) ? row.attacks.join(', ') : (text(row.attack) ?? 'one attack');
    const [low, high] = Array.isArray(row.confidence) ? row.confidence : [];
    found.push({
      type: 'robust accuracy',
      value: String(row.robustAccuracy),
      slice: `${row.norm} eps ${row.eps}, ${row.n} samples, ${attacks}`,
      ...(typeof low === 'number' && typeof high === 'number'
        ? { confidenceInterval: { lowerBound: String(low), upperBound: String(high) } }
        : {}),
    });
  }
  return found;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
