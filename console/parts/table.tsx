import type { ComponentChildren } from 'preact';
import type { Rows } from '../data/query.ts';
import { LoadedRows } from './loading.tsx';

/** A column of a table. */
export interface Column<Row> {
  readonly id: string;
  readonly title: ComponentChildren;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers stand at the right. */
  readonly number?: boolean;
  /** Left out on small screens. */
  readonly extra?: boolean;
  /** Sorted by the server: pressing the title asks for it. */
  readonly sort?: string;
}

/**
 * Rows of a list. The first cell of a row holds its link, if it leads anywhere: `j` and `k` go from one to the next. `sorted` and `onSort` where the server sorts.
 */
export function Table<Row>({
  label,
  columns,
  rows,
  keyOf,
  sorted,
  onSort,
  toneOf,
}: {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly sorted?: string | undefined;
  readonly onSort?: (by: string) => void;
  readonly toneOf?: (row: Row) => 'alarmed' | undefined;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reached by keyboard, too.
    <section class="scroll" tabIndex={0} aria-label={`${label}, table`}>
      <table class="table">
        <caption class="unseen">{label}</caption>
        <thead>
          <tr>
            {columns.map(({ id, title, number, extra, sort }) => (
              <th
                key={id}
                scope="col"
                class={classOf(number, extra)}
                {...(sort && sort === sorted ? { 'aria-sort': 'descending' as const } : {})}
              >
                {sort && onSort ? (
                  <button type="button" class="sort" onClick={() => onSort(sort)}>
                    {title}
                    <span aria-hidden="true" class="arrow">
                      {sort === sorted ? '↓' : ''}
                    </span>
                  </button>
                ) : (
                  title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} data-row="" class={toneOf?.(row) ?? ''}>
              {columns.map(({ id, cell, number, extra }) => (
                <td key={id} class={classOf(number, extra)}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A table of a list that the server pages, with what to show while there is nothing. */
export function PagedTable<Row>({
  list,
  what,
  empty,
  ...table
}: Omit<Parameters<typeof Table<Row>>[0], 'rows'> & {
  readonly list: Rows<Row>;
  readonly what: string;
  readonly empty: ComponentChildren;
}) {
  return (
    <LoadedRows list={list} what={what} empty={empty}>
      {(rows) => <Table {...table} rows={rows} />}
    </LoadedRows>
  );
}

function classOf(number = false, extra = false): string {
  return [number && 'num', extra && 'extra'].filter(Boolean).join(' ');
}
