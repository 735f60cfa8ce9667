import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { type Kysely, sql, type Transaction } from 'kysely';
import { GlacisError } from '../core/error.ts';
import { migrateWithin } from './migrate.ts';
import { MIGRATIONS } from './migrations/list.ts';
import { openStore, type Store, type StorePlace } from './open-store.ts';
import { PRIMARY_KEYS, TABLE_NAMES, type TableName } from './primary-keys.ts';
import type { Tables } from './tables.ts';

/** What the first line names. */
const FORMAT = 'glacis-store-1';

/** Rows of a line. */
const PAGE = 200;

/** Characters of a line: attacker-controlled where a backup comes from elsewhere. */
const LONGEST_LINE = 64 << 20;

/** Left out: built again from the log. */
const LEFT_OUT: ReadonlySet<TableName> = new Set(['log_index']);

type Row = Readonly<Record<string, unknown>>;
type Database = Transaction<Tables>;

/** Whether a file is in the portable form: compressed lines of JSON. Errors: `store/unusable` where it cannot be read. */
export async function isPortable(path: string): Promise<boolean> {
  try {
    const handle = await open(path);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    throw new GlacisError('store/unusable', `restore: expected a backup at ${path}`, { cause: thrown });
  }
}

/**
 * Writes a store's rows, as they were at one moment: compressed lines of JSON. The first says which version they are of, the last how many
 * rows each table has, and the SHA-256 of the lines before it.
 */
export async function writePortable(store: Store, path: string, now: () => number): Promise<void> {
  const begin =
    store.engine === 'sqlite'
      ? store.reader.transaction()
      : store.reader.transaction().setIsolationLevel('repeatable read');
  await begin.execute(async (db) => {
    await pipeline(Readable.from(linesOf(db, now)), createGzip(), createWriteStream(path, { mode: 0o600 }));
  });
}

async function* linesOf(db: Database, now: () => number): AsyncGenerator<string> {
  const digest = createHash('sha256');
  const rows: Record<string, number> = {};
  const line = (value: unknown) => {
    const text = `${JSON.stringify(value)}\n`;
    digest.update(text);
    return text;
  };
  yield line({ format: FORMAT, at: now(), migrations: MIGRATIONS.map(({ name }) => name) });
  for (const table of TABLE_NAMES) {
    if (LEFT_OUT.has(table)) continue;
    for await (const page of pagesOf(db, table)) {
      rows[table] = (rows[table] ?? 0) + page.length;
      yield line({ table, rows: page });
    }
  }
  yield `${JSON.stringify({ end: rows, sha256: digest.digest('hex') })}\n`;
}

async function* pagesOf(db: Database, table: TableName): AsyncGenerator<readonly Row[]> {
  const keys = PRIMARY_KEYS[table] as readonly string[];
  const columns = sql.join(keys.map((key) => sql.ref(key)));
  for (let last: Row | undefined; ; ) {
    const after = last ? sql`where (${columns}) > (${sql.join(keys.map((key) => last![key]))})` : sql``;
    const page =
      await sql<Row>`select * from ${sql.table(table)} ${after} order by ${columns} limit ${sql.lit(PAGE)}`.execute(
        db,
      );
    if (page.rows.length > 0) yield page.rows;
    if (page.rows.length < PAGE) return;
    last = page.rows.at(-1)!;
  }
}

/** Makes a store from the portable form, all or nothing. Errors: `store/unusable`, those of the store. */
export async function readPortable(path: string, place: StorePlace): Promise<void> {
  const lines = checkedLines(path);
  const version = await versionOf(lines);
  if (place.kind === 'sqlite' && existsSync(place.file))
    throw new GlacisError('output/unwritable', `restore: expected no file at ${place.file}`);
  const store = await openStore(place, { migrations: 'none' });
  let isDone = false;
  try {
    await store.db.transaction().execute(async (db) => {
      const tables = await db.introspection.getTables();
      if (tables.length > 0)
        throw new GlacisError(
          'store/unusable',
          `restore: expected an empty database, got one with ${tables.length} tables`,
        );
      const untyped = db as unknown as Kysely<unknown>;
      await migrateWithin(untyped, store.engine, MIGRATIONS.slice(0, version), Date.now);
      for await (const line of lines) await insert(db, line);
      await migrateWithin(untyped, store.engine, MIGRATIONS, Date.now);
    });
    isDone = true;
  } finally {
    await store.close();
    if (!isDone && place.kind === 'sqlite')
      for (const end of ['', '-wal', '-shm']) rmSync(`${place.file}${end}`, { force: true });
  }
}

async function insert(db: Database, line: Row): Promise<void> {
  const { table, rows } = line as { table: string; rows: readonly Row[] };
  const columns = Object.keys(rows[0]!);
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column] ?? null))})`);
  await sql`insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))}) values ${sql.join(values)}`.execute(
    db,
  );
}

/** How many migrations the rows have behind them, from the first line. */
async function versionOf(lines: AsyncGenerator<Row>): Promise<number> {
  const head = (await lines.next()).value as { format?: unknown; migrations?: unknown } | undefined;
  const names = head?.migrations;
  if (head?.format !== FORMAT || !Array.isArray(names)) throw damaged(`one that begins with ${FORMAT}`);
  const known = MIGRATIONS.map(({ name }) => name);
  if (names.length > known.length || names.some((name, i) => name !== known[i]))
    throw new GlacisError(
      'store/unusable',
      `restore: expected a backup of at most version ${known.length}, got one of a newer or another Glacis; restore it with that one`,
    );
  return names.length;
}

/** The lines of a portable backup, of which the last was checked before the caller hears that there are no more. */
async function* checkedLines(path: string): AsyncGenerator<Row> {
  const digest = createHash('sha256');
  const rows: Record<string, number> = {};
  let isWhole = false;
  try {
    for await (const text of linesIn(path)) {
      if (isWhole) throw damaged('nothing after its end');
      const line = JSON.parse(text) as Row;
      if ('end' in line) {
        const isRight = line.sha256 === digest.digest('hex');
        if (!isRight || JSON.stringify(line.end) !== JSON.stringify(rows))
          throw damaged('one whose digest fits');
        isWhole = true;
        continue;
      }
      digest.update(`${text}\n`);
      if ('table' in line) check(line, rows);
      yield line;
    }
  } catch (thrown) {
    if (thrown instanceof GlacisError) throw thrown;
    throw new GlacisError('store/unusable', 'restore: expected a backup that can be read to its end', {
      cause: thrown,
    });
  }
  if (!isWhole) throw damaged('one with its last line');
}

function check({ table, rows }: Row, counted: Record<string, number>): void {
  const isTable = typeof table === 'string' && Object.hasOwn(PRIMARY_KEYS, table);
  const isRow = (row: unknown) => typeof row === 'object' && row !== null && !Array.isArray(row);
  if (!isTable || !Array.isArray(rows) || rows.length === 0 || rows.length > PAGE || !rows.every(isRow))
    throw damaged('rows of known tables');
  counted[table] = (counted[table] ?? 0) + rows.length;
}

/** Lines of a compressed file, none too long. */
async function* linesIn(path: string): AsyncGenerator<string> {
  const unzip = createGunzip();
  const source = createReadStream(path);
  source.on('error', (error) => unzip.destroy(error));
  let begun: Buffer[] = [];
  let length = 0;
  for await (const chunk of source.pipe(unzip) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, end)]).toString();
      [begun, length, from] = [[], 0, end + 1];
    }
    begun.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > LONGEST_LINE) throw damaged('lines of moderate length');
  }
  if (length > 0) throw damaged('whole lines');
}

function damaged(expected: string): GlacisError {
  return new GlacisError('store/unusable', `restore: expected a whole backup, ${expected}`);
}
