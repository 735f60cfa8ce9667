import { GlacisError } from '../core/error.ts';
import type { DataOptions, Labels } from './dataset.ts';
import { isNumberText, labelsFromTexts } from './labels.ts';

/** A table of numbers in memory. */
export interface Table {
  readonly n: number;
  /** Names of the feature columns, in order. */
  readonly features: readonly string[];
  /** `[n, features.length]`, row-major. */
  readonly values: Float32Array;
  readonly labels?: Labels;
  readonly classes?: readonly string[];
  readonly notes: readonly string[];
}

const MAX_COLUMNS = 65536;

/**
 * The number of the target column among `names`; `undefined` when the table has none.
 * Errors: `option/invalid` when the named column does not exist.
 */
export function targetColumn(
  names: readonly string[],
  target: DataOptions['target'],
  where: string,
): number | undefined {
  if (target === null) return undefined;
  if (target === undefined) {
    if (names.length > 1) return names.length - 1;
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected features and a target, got one column; target null reads it as a feature`,
    );
  }
  const at = typeof target === 'number' ? target : names.indexOf(target);
  if (!Number.isInteger(at) || at < 0 || at >= names.length) {
    throw new GlacisError(
      'option/invalid',
      `${where}: expected target to be one of ${names.length} columns, got '${target}'`,
    );
  }
  return at;
}

/**
 * Builds a table from rows of text cells. The features grow in memory up to `maxBytes`.
 * Errors as in `readCsv`.
 */
export async function tableFromRows(
  names: readonly string[],
  rows: AsyncIterable<readonly string[]>,
  options: DataOptions & { readonly maxBytes: number },
  notes: readonly string[],
  where: string,
): Promise<Table> {
  if (names.length > MAX_COLUMNS) {
    throw new GlacisError(
      'data/too-large',
      `${where}: expected at most ${MAX_COLUMNS} columns, got ${names.length}`,
    );
  }
  const target = targetColumn(names, options.target, where);
  const features = names.filter((_, column) => column !== target);
  if (features.length === 0)
    throw new GlacisError('data/mismatch', `${where}: expected at least one feature column, got none`);
  let values = new Float32Array(features.length * 256);
  const targets: string[] = [];
  let n = 0;
  for await (const row of rows) {
    let at = n * features.length;
    if (at + features.length > values.length) {
      if (8 * values.length > options.maxBytes) {
        throw new GlacisError(
          'data/too-large',
          `${where}: expected at most ${options.maxBytes} bytes of numbers, got more by row ${n + 1}`,
        );
      }
      const larger = new Float32Array(2 * values.length);
      larger.set(values);
      values = larger;
    }
    for (let column = 0; column < row.length; column++) {
      const cell = row[column]!;
      if (column === target) targets.push(cell);
      else values[at++] = cellNumber(cell, n, names[column] ?? `column ${column}`, where);
    }
    n++;
  }
  if (n === 0) throw new GlacisError('data/unreadable', `${where}: expected rows of data, got none`);
  const read = target === undefined ? undefined : labelsFromTexts(targets, options.task, where);
  return {
    n,
    features,
    values: values.slice(0, n * features.length),
    ...(read && { labels: read.labels, ...(read.classes && { classes: read.classes }) }),
    notes: [
      ...notes,
      ...(read ? [`column '${names[target!]}' is the target`, read.note] : ['there is no target column']),
    ],
  };
}

function cellNumber(cell: string, row: number, column: string, where: string): number {
  const value = Math.fround(Number(cell));
  if (isNumberText(cell) && Number.isFinite(value)) return value;
  const place = `${where}: data row ${row + 1}, column '${column}'`;
  if (cell === '' || isNumberText(cell) || /^[+-]?(nan|inf|infinity|na|null|none|\?)$/i.test(cell)) {
    throw new GlacisError(
      'data/not-finite',
      `${place}: expected a finite float32, got a missing or non-finite value; fill it or drop the row`,
    );
  }
  throw new GlacisError(
    'data/unreadable',
    `${place}: expected a number, got text; encode categories as numbers first`,
  );
}
