import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Kysely, sql } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import type { GlacisError } from '../../core/error.ts';
import { openStore } from '../open-store.ts';
import { sqliteAccess } from './sqlite-dialect.ts';
import { endsTrust, sqliteError } from './sqlite-error.ts';
import { type SqliteThread, startSqliteThread } from './sqlite-thread.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-thread-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `${++files}.db`);
const start = (file = newFile(), busyTimeout = 5000) =>
  startSqliteThread({ file, readOnly: false, busyTimeout });
const run = (thread: SqliteThread, text: string) => thread.run({ sql: text, parameters: [] });

describe('a thread with a database', () => {
  it('writes ahead and waits for the disk', async () => {
    const thread = await start();
    expect((await run(thread, 'pragma journal_mode')).rows).toEqual([{ journal_mode: 'wal' }]);
    expect((await run(thread, 'pragma synchronous')).rows).toEqual([{ synchronous: 2 }]);
    await thread.close();
  });

  it('that dies fails everything asked of it, then and later, and tells', async () => {
    let worker: Worker | undefined;
    const told: GlacisError[] = [];
    const thread = await startSqliteThread(
      { file: newFile(), readOnly: false, busyTimeout: 100 },
      (why) => told.push(why),
      (url, about) => {
        worker = new Worker(url, about);
        return worker;
      },
    );
    await run(thread, 'create table t (a)');
    const pending = Array.from({ length: 50 }, () => run(thread, 'insert into t values (1)'));
    await worker!.terminate();
    const outcomes = await Promise.allSettled(pending);
    const failed = outcomes.filter(({ status }) => status === 'rejected');
    expect(failed.length).toBeGreaterThan(0);
    await expect(run(thread, 'select 1')).rejects.toMatchObject({ code: 'store/unavailable' });
    expect(thread.broken).toMatchObject({ code: 'store/unavailable' });
    expect(told).toHaveLength(1);
    await thread.close();
  });

  it('waits for another that writes, and says so when it takes too long', async () => {
    const file = newFile();
    const [one, other] = [await start(file), await start(file, 50)];
    await run(one, 'create table t (a)');
    await run(one, 'begin immediate');
    await expect(run(other, 'insert into t values (1)')).rejects.toMatchObject({ code: 'store/unavailable' });
    await run(one, 'commit');
    await run(other, 'insert into t values (1)');
    expect((await run(one, 'select count(*) as n from t')).rows).toEqual([{ n: 1 }]);
    await one.close();
    await other.close();
  });

  it('answers no question with more rows than fit in memory', async () => {
    const thread = await start();
    const numbers = (n: number) =>
      `with recursive t(i) as (select 1 union all select i + 1 from t where i < ${n}) select i from t`;
    expect((await run(thread, numbers(100_000))).rows).toHaveLength(100_000);
    await expect(run(thread, numbers(100_001))).rejects.toThrow(/in pages/);
    expect((await run(thread, 'select 1 as one')).rows).toEqual([{ one: 1 }]);
    await thread.close();
  });

  it('does not open what is no database, or a folder', async () => {
    const file = newFile();
    writeFileSync(file, 'not a database, but long enough to have a header of one hundred bytes: '.repeat(10));
    await expect(start(file)).rejects.toMatchObject({ code: 'store/unusable' });
    await expect(start(folder)).rejects.toMatchObject({ code: 'store/unavailable' });
    await expect(openStore({ kind: 'sqlite', file: join(file, 'sub.db') })).rejects.toMatchObject({
      code: 'store/unavailable',
    });
  });

  it('is not believed any more once the file turns out damaged', async () => {
    const file = newFile();
    const store = await openStore({ kind: 'sqlite', file });
    // So many rows that the second half of the file is theirs alone, and the schema is whole.
    for (let i = 0; i < 20; i++)
      await store.db
        .insertInto('state')
        .values(
          Array.from({ length: 100 }, (_, k) => ({ name: `${i}/${k}`, value: 'v'.repeat(500), changed: 0 })),
        )
        .execute();
    await store.close();
    const bytes = readFileSync(file);
    for (let page = Math.floor(bytes.length / 8192); page < bytes.length / 4096; page++)
      bytes.fill(0xa5, page * 4096, page * 4096 + 64);
    writeFileSync(file, bytes);
    let told: GlacisError | undefined;
    const open = await openStore(
      { kind: 'sqlite', file },
      {
        migrations: 'none',
        broke: (why) => {
          told = why;
        },
      },
    );
    const reads = open.db.selectFrom('state').selectAll().execute();
    await expect(reads).rejects.toMatchObject({ code: 'store/unusable' });
    expect(told).toMatchObject({ code: 'store/unusable' });
    await expect(sql`select 1`.execute(open.db)).rejects.toMatchObject({ code: 'store/unusable' });
    await open.close();
    truncateSync(file, 1000);
    await expect(openStore({ kind: 'sqlite', file })).rejects.toMatchObject({ code: 'store/unusable' });
  });

  it('ends trust at failed reads, writes and damage, not at what a statement may fail at', () => {
    const fault = (errcode: number | undefined) => ({ message: 'm', errcode });
    // IOERR, IOERR_FSYNC, IOERR_WRITE, CORRUPT, NOTADB
    for (const code of [10, 1034, 778, 11, 26]) expect(endsTrust(fault(code)), String(code)).toBe(true);
    // ERROR, BUSY, FULL, CONSTRAINT_UNIQUE
    for (const code of [undefined, 1, 5, 13, 2067]) expect(endsTrust(fault(code)), String(code)).toBe(false);
    expect(sqliteError(fault(13)).code).toBe('store/unavailable');
    expect(sqliteError(fault(1034)).code).toBe('store/unavailable');
  });

  it('loses nothing that was confirmed when a full disk stops it, and goes on after', async () => {
    const file = newFile();
    const store = await openStore({ kind: 'sqlite', file });
    const pages = (await sql<{ page_count: number }>`pragma page_count`.execute(store.db)).rows[0]!
      .page_count;
    await sql`pragma max_page_count = ${sql.lit(pages + 20)}`.execute(store.db);
    const put = (i: number) =>
      store.db.insertInto('state').values({ name: `${i}`, value: 'v'.repeat(2000), changed: 0 });
    let kept = 0;
    let thrown: unknown;
    while (thrown === undefined) {
      await put(kept)
        .execute()
        .then(
          () => kept++,
          (error: unknown) => {
            thrown = error;
          },
        );
    }
    expect(thrown).toMatchObject({ code: 'store/unavailable' });
    const outcome = await store.each([put(kept).compile()]).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code: 'store/unavailable' });
    await sql`pragma max_page_count = 1000000`.execute(store.db);
    await put(kept).execute();
    const { rows } = await sql`select count(*) as n from state`.execute(store.db);
    expect(rows).toEqual([{ n: kept + 1 }]);
    await store.close();
  });
});

describe('a transaction', () => {
  it('that does nothing for too long is rolled back, so that the others go on', async () => {
    const thread = await start();
    await run(thread, 'create table t (a)');
    const { dialect } = sqliteAccess(async () => thread, { readOnly: false, longestIdle: 50 });
    const db = new Kysely<{ t: { a: number } }>({ dialect });
    const stuck = db.transaction().execute(async (trx) => {
      await trx.insertInto('t').values({ a: 1 }).execute();
      await new Promise((resolve) => setTimeout(resolve, 400));
      await trx.insertInto('t').values({ a: 2 }).execute();
    });
    const rejected = expect(stuck).rejects.toMatchObject({ code: 'store/unavailable' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await db.insertInto('t').values({ a: 3 }).execute();
    expect(await db.selectFrom('t').selectAll().execute()).toEqual([{ a: 3 }]);
    await rejected;
    expect(await db.selectFrom('t').selectAll().execute()).toEqual([{ a: 3 }]);
    await db.destroy();
  });

  it('may take longer than that as long as it does something, several statements at once included', async () => {
    const thread = await start();
    await run(thread, 'create table t (a)');
    const { dialect } = sqliteAccess(async () => thread, { readOnly: false, longestIdle: 500 });
    const db = new Kysely<{ t: { a: number } }>({ dialect });
    await db.transaction().execute(async (trx) => {
      const insert = (a: number) => trx.insertInto('t').values({ a }).execute();
      for (let i = 0; i < 20; i++) {
        await Promise.all([insert(i), insert(i)]);
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
    });
    expect(await db.selectFrom('t').selectAll().execute()).toHaveLength(40);
    await db.destroy();
  });

  it('keeps its order among many others and single statements', async () => {
    const store = await openStore({ kind: 'sqlite', file: newFile() });
    await store.db.insertInto('state').values({ name: 'n', value: '', changed: 0 }).execute();
    const add = sql`update state set changed = changed + 1 where name = 'n'`;
    const work = Array.from({ length: 60 }, async (_, i) => {
      if (i % 3 === 0) await add.execute(store.db);
      else if (i % 3 === 1) await store.each([add.compile(store.db)]);
      else
        await store.db
          .transaction()
          .execute(async (trx) => {
            await add.execute(trx);
            await new Promise((resolve) => setImmediate(resolve));
            if (i % 2 === 0) throw new Error('undo');
          })
          .catch(() => {});
    });
    await Promise.all(work);
    const { changed } = await store.db.selectFrom('state').select('changed').executeTakeFirstOrThrow();
    expect(changed).toBe(20 + 20 + 10);
    await store.close();
  });
});
