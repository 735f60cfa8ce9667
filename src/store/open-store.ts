import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type CompiledQuery, Kysely, PostgresDialect, type Transaction } from 'kysely';
import { asGlacisError, GlacisError } from '../core/error.ts';
import type { PostgresConfig, SqliteConfig } from './config-schema.ts';
import type { Engine } from './engine.ts';
import { migrate } from './migrate.ts';
import type { Migration } from './migration.ts';
import { MIGRATIONS } from './migrations/list.ts';
import { isWorthAnotherTry } from './postgres/postgres-error.ts';
import { postgresPool } from './postgres/postgres-pool.ts';
import { sqliteAccess } from './sqlite/sqlite-dialect.ts';
import { sqliteError } from './sqlite/sqlite-error.ts';
import { startSqliteThread } from './sqlite/sqlite-thread.ts';
import type { Tables } from './tables.ts';

/** The engine and its file or address. */
export type StorePlace = SqliteConfig | PostgresConfig;

/** How often a transaction that others got in the way of is tried. */
const MOST_TRIES = 8;

/** Rows that a statement gave and how many it changed, or why it did not. */
export type Outcome =
  | { readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly changes: number }
  | { readonly error: GlacisError };

/**
 * A database in which the gateway keeps what must outlive it. What a promise here has confirmed is on the disk. Errors of everything in it:
 * `store/unavailable` (nothing may be taken as done; where the connection broke at a commit it may have been done all the same),
 * `store/conflict` (a row that breaks a rule, such as one that is there already), `store/unusable`, `run/failed` (a wrong statement).
 */
export interface Store {
  readonly engine: Engine;
  /** For single statements and for `transaction()`. */
  readonly db: Kysely<Tables>;
  /** For long reads, which hold up no writer. It sees what was committed before the statement began. */
  readonly reader: Kysely<Tables>;
  /**
   * Runs statements that know nothing of each other, in any order, as cheaply as the engine can: on SQLite with one write to the disk for
   * all. Each has its own outcome; what is not an error has been committed.
   */
  each(queries: readonly CompiledQuery[]): Promise<readonly Outcome[]>;
  /**
   * Runs `work` as if nobody else were there, all or nothing. Where others got in the way it runs again, so it must do nothing but speak to
   * the database, without a pause of more than ten seconds.
   */
  transact<T>(work: (db: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Why the store cannot be used any more, until it is opened anew; undefined while it can. Only SQLite breaks for good. */
  readonly broken: GlacisError | undefined;
  close(): Promise<void>;
}

/** What opening a store needs from outside. */
export interface StoreSurroundings {
  readonly now?: () => number;
  /** Those of this program without; `none` leaves the database as it is. */
  readonly migrations?: readonly Migration[] | 'none';
  /** Hears when the store breaks for good. */
  readonly broke?: (why: GlacisError) => void;
}

/**
 * Opens a store, creates it where it is not there, and brings its tables to the present version. A file is made readable by its owner alone.
 * Errors: `store/unavailable`, `store/unusable`, `option/invalid`.
 *
 * @example
 * const store = await openStore({ kind: 'sqlite', file: 'data/glacis.db' });
 * const key = await store.db.selectFrom('api_keys').selectAll().where('hash', '=', hash).executeTakeFirst();
 * await store.close();
 */
export async function openStore(config: StorePlace, surroundings: StoreSurroundings = {}): Promise<Store> {
  const store = config.kind === 'sqlite' ? await openSqlite(config, surroundings) : openPostgres(config);
  const { migrations = MIGRATIONS, now } = surroundings;
  try {
    if (migrations !== 'none') await migrate(store.db, store.engine, migrations, now);
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
  return store;
}

async function openSqlite(config: SqliteConfig, { broke }: StoreSurroundings): Promise<Store> {
  const file = resolve(config.file);
  const busyTimeout = config.busyTimeout ?? 5000;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
  } catch (thrown) {
    throw asGlacisError(thrown, 'store/unavailable', 'store');
  }
  const thread = await startSqliteThread({ file, readOnly: false, busyTimeout }, broke);
  const access = sqliteAccess(async () => thread, { readOnly: false });
  const db = new Kysely<Tables>({ dialect: access.dialect });
  const aside = sqliteAccess(() => startSqliteThread({ file, readOnly: true, busyTimeout }), {
    readOnly: true,
  });
  const reader = new Kysely<Tables>({ dialect: aside.dialect });
  return {
    engine: 'sqlite',
    db,
    reader,
    async each(queries) {
      const outcomes = await access.each(queries);
      return outcomes.map((outcome) =>
        'fault' in outcome ? { error: sqliteError(outcome.fault) } : outcome,
      );
    },
    transact: (work) => db.transaction().execute(work),
    get broken() {
      return thread.broken;
    },
    async close() {
      await reader.destroy();
      await db.destroy();
      await thread.close();
    },
  };
}

function openPostgres(config: PostgresConfig): Store {
  const pool = postgresPool(config);
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  let isClosed = false;
  return {
    engine: 'postgres',
    db,
    reader: db,
    each: (queries) =>
      Promise.all(
        queries.map(async (query): Promise<Outcome> => {
          try {
            const { rows, numAffectedRows } = await db.executeQuery<Record<string, unknown>>(query);
            return { rows, changes: Number(numAffectedRows ?? rows.length) };
          } catch (thrown) {
            return { error: asGlacisError(thrown, 'store/unavailable', 'store') };
          }
        }),
      ),
    async transact(work) {
      for (let tries = 1; ; tries++) {
        try {
          return await db.transaction().setIsolationLevel('serializable').execute(work);
        } catch (thrown) {
          if (tries >= MOST_TRIES || !isWorthAnotherTry(thrown)) throw thrown;
          await new Promise((done) => setTimeout(done, tries * 5));
        }
      }
    },
    get broken() {
      return isClosed ? new GlacisError('store/unavailable', 'store: it is closed') : undefined;
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await db.destroy();
      await pool.end().catch(() => {});
    },
  };
}
