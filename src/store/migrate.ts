import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { GlacisError } from '../core/error.ts';
import type { Engine } from './engine.ts';
import { type Migration, migrationTools } from './migration.ts';

/** Where the steps that were taken are written down. */
const JOURNAL = 'glacis_migrations';

/** PostgreSQL's advisory lock that one migrating process holds: the first bytes of SHA-256 of `glacis migrations`. */
const LOCK = 7_316_455_280_117n;

/** How long another process may take to migrate, in milliseconds, and how often one looks. */
const PATIENCE = 60_000;
const LOOK_EVERY = 200;

interface Journal {
  readonly glacis_migrations: { number: number; name: string; at: number };
}

/**
 * Brings a database to the last of `migrations`, in one transaction: afterwards either all are done or none. Processes that start at once
 * wait for each other. Gives the number of migrations that the database has. Errors: `store/unusable` where the database belongs to something
 * else, or is newer than this program; `store/unavailable`.
 */
export async function migrate<T>(
  database: Kysely<T>,
  engine: Engine,
  migrations: readonly Migration[],
  now: () => number = Date.now,
): Promise<number> {
  const db = database as unknown as Kysely<Journal>;
  if ((await applied(db, engine, migrations)) === migrations.length) return migrations.length;
  for (const until = performance.now() + PATIENCE; ; await sleep(LOOK_EVERY)) {
    const done = await db.transaction().execute(async (trx) => {
      if (!(await isAlone(trx, engine))) return undefined;
      return migrateWithin(trx as unknown as Kysely<unknown>, engine, migrations, now);
    });
    if (done !== undefined) return done;
    if (performance.now() > until)
      throw new GlacisError(
        'store/unavailable',
        'store: expected to change the database to this version, got another process that has been changing it for a minute',
      );
  }
}

/** As {@link migrate}, in a transaction that its caller has begun, alone with the database. */
export async function migrateWithin(
  transaction: Kysely<unknown>,
  engine: Engine,
  migrations: readonly Migration[],
  now: () => number,
): Promise<number> {
  const db = transaction as unknown as Kysely<Journal>;
  const from = await applied(db, engine, migrations);
  if (from === 0) await createJournal(db, engine);
  const tools = migrationTools(engine, transaction);
  for (const [i, { name, up }] of migrations.entries()) {
    if (i < from) continue;
    await up(tools);
    await db
      .insertInto(JOURNAL)
      .values({ number: i + 1, name, at: now() })
      .execute();
  }
  return migrations.length;
}

/** How many of the migrations the database has. */
async function applied(
  db: Kysely<Journal>,
  engine: Engine,
  migrations: readonly Migration[],
): Promise<number> {
  const tables = await tableNames(db, engine);
  if (!tables.includes(JOURNAL)) {
    if (tables.length === 0) return 0;
    throw new GlacisError(
      'store/unusable',
      `store: expected an empty database or one of Glacis, got one with other tables (${tables.slice(0, 3).join(', ')})`,
    );
  }
  const rows = await db.selectFrom(JOURNAL).select(['number', 'name']).orderBy('number').execute();
  for (const [i, { name }] of rows.entries()) {
    const known = migrations[i]?.name;
    if (known === undefined)
      throw new GlacisError(
        'store/unusable',
        `store: expected a database of at most version ${migrations.length}, got version ${rows.length} (${rows.at(-1)!.name}): it was used by a newer Glacis; use that one, or restore the backup from before`,
      );
    if (known !== name)
      throw new GlacisError(
        'store/unusable',
        `store: expected step ${i + 1} of the database to be ${known}, got ${name}: it was made by another program, or by an unreleased Glacis`,
      );
  }
  return rows.length;
}

async function tableNames(db: Kysely<Journal>, engine: Engine): Promise<readonly string[]> {
  const query =
    engine === 'sqlite'
      ? sql<{
          name: string;
        }>`select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name`
      : sql<{
          name: string;
        }>`select tablename as name from pg_tables where schemaname = current_schema() order by tablename`;
  return (await query.execute(db)).rows.map(({ name }) => name);
}

/** SQLite lets one transaction write at a time. PostgreSQL is asked for a lock that ends with the transaction. */
async function isAlone(db: Kysely<Journal>, engine: Engine): Promise<boolean> {
  if (engine === 'sqlite') return true;
  const { rows } = await sql<{
    got: boolean;
  }>`select pg_try_advisory_xact_lock(${sql.lit(LOCK)}) as got`.execute(db);
  return rows[0]?.got === true;
}

async function createJournal(db: Kysely<Journal>, engine: Engine): Promise<void> {
  const { table, types } = migrationTools(engine, db as unknown as Kysely<unknown>);
  await table(JOURNAL)
    .ifNotExists()
    .addColumn('number', types.whole, (c) => c.primaryKey().notNull())
    .addColumn('name', types.text, (c) => c.notNull().unique())
    .addColumn('at', types.whole, (c) => c.notNull())
    .execute();
}
