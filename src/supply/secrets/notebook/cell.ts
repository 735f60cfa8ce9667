/** What of a Jupyter notebook is looked at; every field may be anything. Source: https://nbformat.readthedocs.io/en/latest/format_description.html */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Whether `value` is a JSON object. */
export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether parsed JSON has a notebook's shape: cells at the top (format 4) or in worksheets (format 3). */
export function isNotebook(value: Json): value is { readonly [key: string]: Json } {
  if (!isObject(value) || typeof value.nbformat !== 'number') return false;
  return Array.isArray(value.cells) || Array.isArray(value.worksheets);
}

/** The cells of a notebook, whatever its format. */
export function cellsOf(notebook: { readonly [key: string]: Json }): readonly Json[] {
  if (Array.isArray(notebook.cells)) return notebook.cells as readonly Json[];
  const sheets = Array.isArray(notebook.worksheets) ? (notebook.worksheets as readonly Json[]) : [];
  return sheets.flatMap((sheet) =>
    isObject(sheet) && Array.isArray(sheet.cells) ? (sheet.cells as readonly Json[]) : [],
  );
}

/** A multi-line string, which notebooks write as a text or as a list of lines. */
export function joined(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.length > 0 && value.every((line) => typeof line === 'string'))
    return value.join('');
  return undefined;
}
