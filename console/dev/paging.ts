import type { Page } from '../../src/gateway/console/api.ts';

/** A page of rows that are there already: `before` is the place after the last row that was seen. */
export function paged<Row>(
  rows: readonly Row[],
  query: Readonly<Record<string, string>>,
  size = 50,
): Page<Row> {
  const from = Number(query.before ?? 0);
  const to = from + Math.min(size, Number(query.most ?? size));
  return { rows: rows.slice(from, to), ...(to < rows.length ? { next: String(to) } : {}) };
}
