import { z } from 'zod';
import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import { schemaProblems, wordsFor } from '../../policy/schema/problems.ts';
import { labelSchema } from '../label-schema.ts';
import { MOST_TEXT } from '../packed/record.ts';
import { fieldsOf, timeOf } from './csv-line.ts';
import { type LabelTable, openLabelTable, type WrittenLabel } from './label-table.ts';
import { linesOf } from './lines-of.ts';
import { openPastLabels, type PastLabels } from './tell-labels.ts';

/** The last millisecond that a date may have. */
const LAST = 8.64e15;

/** A line: what `POST /api/labels` takes, the id of any server's decision, and when it was told. */
const lineSchema = labelSchema.extend({
  decision: z
    .string()
    .min(1, { error: 'the id of a decision' })
    .max(MOST_TEXT, { error: `the id of a decision, of at most ${MOST_TEXT} characters` }),
  at: z
    .custom<number | string>((at) => isTime(at), {
      error: 'a time as ISO 8601 or in milliseconds since 1970',
    })
    .optional(),
});

/** Columns by the names that they may have. */
const COLUMNS: ReadonlyMap<string, keyof WrittenLabel> = new Map([
  ['decision', 'decision'],
  ['id', 'decision'],
  ['sample', 'sample'],
  ['label', 'label'],
  ['time', 'at'],
  ['at', 'at'],
  ['timestamp', 'at'],
]);

/**
 * Reads true labels of past decisions from files: JSON lines (`.jsonl`, `.ndjson`: `{"decision", "sample", "label", "at"}`) or CSV (`.csv`, with columns of these names), each also `.gz`. Without `sample` it is 0, without a time a label was
 * told right after its decision. Nothing is skipped: a wrong line is an error that names it. Errors: `option/invalid` for other files; `data/unreadable`; `data/mismatch` for what is no label, and for no label at all; `data/too-large`.
 */
export async function readLabels(paths: readonly string[], signal?: AbortSignal): Promise<PastLabels> {
  const table = openLabelTable();
  for (const path of paths) {
    const kind = /\.(jsonl|ndjson|csv)(\.gz)?$/i.exec(path)?.[1]?.toLowerCase();
    if (kind === undefined)
      throw new GlacisError(
        'option/invalid',
        `${path}: expected labels in a file .jsonl, .ndjson or .csv (or .gz of one)`,
      );
    await readInto(table, path, kind === 'csv' ? csvLine() : jsonLine, signal);
  }
  if (table.size === 0)
    throw new GlacisError('data/mismatch', `${paths.join(', ')}: expected at least one label, got none`);
  return openPastLabels(table);
}

/** What a line says, not yet checked; undefined for a header. Throws `data/mismatch` without a place. */
type Line = (text: string) => unknown;

async function readInto(
  table: LabelTable,
  path: string,
  read: Line,
  signal: AbortSignal | undefined,
): Promise<void> {
  let number = 0;
  for await (const lines of linesOf(path, signal)) {
    throwIfCancelled(signal, path);
    for (const line of lines) {
      number++;
      const text = number === 1 ? line.replace(/^\ufeff/, '') : line;
      if (text.trim() === '') continue;
      try {
        const found = read(text);
        if (found !== undefined) table.add(checked(found));
      } catch (thrown) {
        if (!(thrown instanceof GlacisError)) throw thrown;
        throw new GlacisError(thrown.code, `${path}, line ${number}: ${thrown.message}`);
      }
    }
  }
}

function checked(value: unknown): WrittenLabel {
  const read = lineSchema.safeParse(value, { error: (issue) => `=${wordsFor(issue, undefined)}` });
  if (!read.success) {
    const [problem] = schemaProblems(read.error.issues, value);
    const { path, says } = problem!;
    throw mismatch(path.length > 0 ? `${path.join('.')}: ${says}` : says);
  }
  const { at, ...label } = read.data;
  return { ...label, at: at === undefined ? undefined : millisecondsOf(at) };
}

const jsonLine: Line = (text) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw mismatch('expected a label as JSON, got something else');
  }
};

/** A reader for the lines of one file, the header first. */
function csvLine(): Line {
  let columns: readonly (keyof WrittenLabel)[] | undefined;
  return (text) => {
    const fields = fieldsOf(text);
    if (columns === undefined) {
      columns = columnsOf(fields);
      return undefined;
    }
    if (fields.length !== columns.length)
      throw mismatch(`expected ${columns.length} fields, got ${fields.length}`);
    const found: Partial<Record<keyof WrittenLabel, unknown>> = {};
    for (const [i, name] of columns.entries()) {
      const field = fields[i]!;
      const isNumber = (name === 'sample' || name === 'label') && /^\d+(\.\d+)?$/.test(field);
      if (field !== '') found[name] = isNumber ? Number(field) : field;
    }
    return found;
  };
}

function columnsOf(header: readonly string[]): readonly (keyof WrittenLabel)[] {
  const columns = header.map((name) => {
    const column = COLUMNS.get(name.trim().toLowerCase());
    if (column === undefined)
      throw mismatch(`expected columns decision, sample, label and time, got '${name.slice(0, 60)}'`);
    return column;
  });
  for (const name of ['decision', 'label'] as const)
    if (!columns.includes(name)) throw mismatch(`expected a column ${name}, got none`);
  for (const [i, name] of columns.entries())
    if (columns.indexOf(name) !== i) throw mismatch(`expected one column ${name}, got two`);
  return columns;
}

const mismatch = (message: string): GlacisError => new GlacisError('data/mismatch', message);

/** Numbers are milliseconds; in texts, those below 10¹¹ are seconds, as in tables of decisions. */
function millisecondsOf(at: unknown): number {
  if (typeof at === 'number') return at;
  return typeof at === 'string' && /^(\d{4}-\d\d-\d\d|\d+(\.\d+)?$)/.test(at) ? timeOf(at) : Number.NaN;
}

function isTime(at: unknown): boolean {
  const time = millisecondsOf(at);
  return time >= 0 && time <= LAST;
}
