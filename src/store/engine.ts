/** The engines that a store may stand on. */
export type Engine = 'sqlite' | 'postgres';

/** What a column's type is called: whole numbers of 64 bits, double precision, text, bytes. */
export interface ColumnTypes {
  readonly whole: 'integer' | 'bigint';
  readonly real: 'real' | 'double precision';
  readonly text: 'text';
  readonly bytes: 'blob' | 'bytea';
}

/** The names of column types in each engine. SQLite's tables are strict, so that a column holds what its type says. */
export const COLUMN_TYPES: Readonly<Record<Engine, ColumnTypes>> = {
  sqlite: { whole: 'integer', real: 'real', text: 'text', bytes: 'blob' },
  postgres: { whole: 'bigint', real: 'double precision', text: 'text', bytes: 'bytea' },
};

/** How long a transaction may do nothing, in milliseconds: everyone else waits for it. PostgreSQL is told the same. */
export const LONGEST_IDLE_TRANSACTION = 10_000;
