import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import { COLUMN_TYPES, type ColumnTypes, type Engine } from './engine.ts';

/**
 * One step from a version of the schema to the next. Once released it is never changed: what it made wrong, a later one mends. It uses
 * no row type of today, because it runs on the tables of its own time.
 */
export interface Migration {
  /** `NNN-what-it-makes`, numbered without gaps. */
  readonly name: string;
  up(to: MigrationTools): Promise<void>;
}

/** What a migration works with: everything happens in one transaction. */
export interface MigrationTools {
  readonly engine: Engine;
  readonly db: Kysely<unknown>;
  readonly types: ColumnTypes;
  /** Begins a table that is strict about its types. */
  table(name: string): CreateTableBuilder<string>;
}

/** The tools of a migration on `db`, which is a transaction. */
export function migrationTools(engine: Engine, db: Kysely<unknown>): MigrationTools {
  return {
    engine,
    db,
    types: COLUMN_TYPES[engine],
    table(name) {
      const table = db.schema.createTable(name);
      return engine === 'sqlite' ? table.modifyEnd(sql`strict`) : table;
    },
  };
}
