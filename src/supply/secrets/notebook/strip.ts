import { GlacisError } from '../../../core/error.ts';
import { isNotebook, isObject, type Json } from './cell.ts';

/** Metadata that only says what was run and shown: a notebook without outputs has no use for it. */
const RUN_METADATA: ReadonlySet<string> = new Set([
  'ExecuteTime',
  'execution',
  'collapsed',
  'scrolled',
  'outputId',
  'executionInfo',
]);

/**
 * The notebook without what running it left: outputs, execution counts, times, widget state. Sources, attachments and all
 * other metadata stay, and so do indentation and the end of the file, so that a diff shows only what went.
 *
 * Errors: `data/unreadable` where the text is no notebook.
 */
export function stripNotebook(text: string, where: string): string {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (thrown) {
    throw new GlacisError('data/unreadable', `${where}: expected a notebook, got text that is not JSON`, {
      cause: thrown,
    });
  }
  if (!isNotebook(value))
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected a notebook, got JSON without cells or nbformat`,
    );
  const indent = /^\{\r?\n([ \t]+)"/.exec(text)?.[1] ?? (text.includes('\n') ? ' ' : undefined);
  return JSON.stringify(strippedNotebook(value), null, indent) + (text.endsWith('\n') ? '\n' : '');
}

function strippedNotebook(notebook: { readonly [key: string]: Json }): Json {
  const { metadata, cells, worksheets } = notebook;
  return {
    ...notebook,
    ...(isObject(metadata) && { metadata: without(metadata, (key) => key === 'widgets') }),
    ...(Array.isArray(cells) && { cells: cells.map(strippedCell) }),
    ...(Array.isArray(worksheets) && {
      worksheets: worksheets.map((sheet: Json) =>
        isObject(sheet) && Array.isArray(sheet.cells)
          ? { ...sheet, cells: sheet.cells.map(strippedCell) }
          : sheet,
      ),
    }),
  };
}

function strippedCell(cell: Json): Json {
  if (!isObject(cell)) return cell;
  return {
    ...cell,
    ...('outputs' in cell && { outputs: [] }),
    ...('execution_count' in cell && { execution_count: null }),
    ...('prompt_number' in cell && { prompt_number: null }),
    ...(isObject(cell.metadata) && { metadata: without(cell.metadata, (key) => RUN_METADATA.has(key)) }),
  };
}

function without(object: { readonly [key: string]: Json }, drop: (key: string) => boolean): Json {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !drop(key)));
}
