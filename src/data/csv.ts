import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import { type ByteSource, chunksOf } from './byte-source.ts';
import type { DataOptions } from './dataset.ts';
import { isNumberText } from './labels.ts';
import { type Table, tableFromRows } from './table.ts';

const MAX_RECORD = 1 << 24;

/**
 * Reads a CSV file (RFC 4180, UTF-8) of numbers with a header line and one target column; every other column is a feature,
 * read as float32. A header is assumed when no feature cell of the first line is a number.
 * The features are held in memory, up to `maxBytes`.
 *
 * Errors: `data/unreadable` (broken quoting, rows of unequal length, text where a number is wanted, an unclear first line),
 * `data/not-finite` (an empty or non-finite cell), `data/too-large`, `option/invalid` (no such target column).
 */
export async function readCsv(
  source: ByteSource,
  options: DataOptions & { readonly maxBytes: number },
  where: string,
): Promise<Table> {
  const { signal, delimiter = ',', header = 'auto' } = options;
  if (source.size > options.maxBytes) {
    throw new GlacisError(
      'data/too-large',
      `${where}: expected at most ${options.maxBytes} bytes of CSV, got ${source.size}`,
    );
  }
  const parser = Readable.from(chunksOf(source, signal)).compose(
    parse({ bom: true, delimiter, skip_empty_lines: true, trim: true, max_record_size: MAX_RECORD }),
  ) as AsyncIterable<string[]>;
  const iterator = parser[Symbol.asyncIterator]();
  const next = async () => {
    try {
      return await iterator.next();
    } catch (error) {
      if (error instanceof GlacisError) throw error;
      // csv-parse's own message quotes cells; its code and line say enough.
      const detail =
        error instanceof CsvError ? `${error.code} at line ${error.lines ?? '?'}` : 'not readable as text';
      throw new GlacisError(
        'data/unreadable',
        `${where}: expected comma-separated values, got a file that breaks them (${detail})`,
      );
    }
  };
  try {
    const first = await next();
    if (first.done) throw new GlacisError('data/unreadable', `${where}: expected rows, got an empty file`);
    const named = header === 'auto' ? looksLikeHeader(first.value, options.target, where) : header;
    const names = named ? first.value : first.value.map((_, i) => `column ${i}`);
    const rows = async function* () {
      if (!named) yield first.value;
      for (let row = await next(); !row.done; row = await next()) {
        throwIfCancelled(signal, where);
        yield row.value;
      }
    };
    const notes =
      header === 'auto'
        ? [named ? 'the first line names the columns' : 'no header: the first line is data']
        : [];
    return await tableFromRows(names, rows(), options, notes, where);
  } finally {
    await iterator.return?.();
  }
}

/** The target's cell does not count: it may be a class name in a data line. */
function looksLikeHeader(cells: readonly string[], target: DataOptions['target'], where: string): boolean {
  if (typeof target === 'string') return true;
  const skipped = target === null ? -1 : (target ?? cells.length - 1);
  const features = cells.filter((_, i) => i !== skipped);
  const numbers = features.filter(isNumberText).length;
  if (features.length > 0 && numbers === features.length) return false;
  if (numbers === 0) return true;
  throw new GlacisError(
    'data/unreadable',
    `${where}: the first line mixes numbers and text, so it is unclear whether it names the columns; say so with header`,
  );
}
