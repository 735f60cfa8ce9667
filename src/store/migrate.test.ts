import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, type Places, placesOf } from '../../test/servers/store-places.ts';
import type { Migration } from './migration.ts';
import { MIGRATIONS } from './migrations/list.ts';
import { openStore, type Store } from './open-store.ts';
import { PRIMARY_KEYS, TABLE_NAMES, type TableName } from './primary-keys.ts';

/** Columns of a table with their types, as the engine tells. */
async function columnsOf(store: Store): Promise<Readonly<Record<string, unknown>>> {
  const tables = await store.db.introspection.getTables();
  return Object.fromEntries(
    tables
      .map(({ name, columns }) => [
        name,
        columns.map((column) => [column.name, column.dataType.toLowerCase(), column.isNullable]).sort(),
      ])
      .sort(),
  );
}

/** A row that fits a table, whatever its columns are. */
async function addRow(store: Store, table: string): Promise<void> {
  const { columns } = (await store.db.introspection.getTables()).find(({ name }) => name === table)!;
  const values = columns.map(({ dataType }) => (/text|char/i.test(dataType) ? sql`'x'` : sql`1`));
  await sql`insert into ${sql.table(table)} (${sql.join(columns.map(({ name }) => sql.ref(name)))}) values (${sql.join(values)})`.execute(
    store.db,
  );
}

async function countOf(store: Store, table: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(store.db);
  return rows[0]!.n;
}

describe('the list of migrations', () => {
  it('is numbered without gaps, one file each', () => {
    const files = readdirSync(new URL('./migrations', import.meta.url)).filter((name) => name !== 'list.ts');
    expect(MIGRATIONS.map(({ name }) => `${name}.ts`)).toEqual(files.sort());
    for (const [i, { name }] of MIGRATIONS.entries())
      expect(name).toMatch(new RegExp(`^0*${i + 1}-[a-z0-9-]+$`));
  });
});

describe.each(ENGINES)('migrating on $engine', ({ engine, missing }) => {
  describe.skipIf(missing !== '')(missing || 'works', () => {
    let places: Places;
    beforeAll(async () => {
      places = await placesOf(engine);
    });
    afterAll(() => places.end());

    it('up from every earlier version, to the same tables, with the rows that are there', async () => {
      const fresh = await openStore(await places.next());
      const expected = await columnsOf(fresh);
      await fresh.close();
      for (let version = 0; version < MIGRATIONS.length; version++) {
        const place = await places.next();
        const old = await openStore(place, { migrations: MIGRATIONS.slice(0, version) });
        const tables = (await old.db.introspection.getTables())
          .map(({ name }) => name)
          .filter((name) => name !== 'glacis_migrations');
        for (const table of tables) await addRow(old, table);
        await old.close();
        const store = await openStore(place);
        expect(await columnsOf(store), `from ${version}`).toEqual(expected);
        for (const table of tables) expect(await countOf(store, table), table).toBe(1);
        await store.close();
      }
    });

    it('to tables whose columns and keys are those that the program knows', async () => {
      const store = await openStore(await places.next());
      const tables = await columnsOf(store);
      expect(Object.keys(tables).sort()).toEqual([...TABLE_NAMES, 'glacis_migrations'].sort());
      for (const name of TABLE_NAMES as readonly TableName[]) {
        await addRow(store, name);
        const keys = sql.join(PRIMARY_KEYS[name].map((key) => sql.ref(key)));
        await expect(addRow(store, name), name).rejects.toMatchObject({ code: 'store/conflict' });
        await sql`select ${keys} from ${sql.table(name)} order by ${keys}`.execute(store.db);
      }
      await store.close();
    });

    it('not to a database that is newer than the program, and changes nothing of it', async () => {
      const place = await places.next();
      const future: Migration = {
        name: `${String(MIGRATIONS.length + 1).padStart(3, '0')}-of-the-future`,
        up: async ({ table, types }) => {
          await table('of_the_future').addColumn('id', types.text).execute();
        },
      };
      const newer = await openStore(place, { migrations: [...MIGRATIONS, future] });
      const before = await columnsOf(newer);
      await newer.close();
      await expect(openStore(place)).rejects.toMatchObject({
        code: 'store/unusable',
        message: expect.stringMatching(/newer Glacis/),
      });
      const again = await openStore(place, { migrations: [...MIGRATIONS, future] });
      expect(await columnsOf(again)).toEqual(before);
      await again.close();
    });

    it('not of a database of something else', async () => {
      const place = await places.next();
      const other = await openStore(place, { migrations: 'none' });
      await sql`create table invoices (id integer)`.execute(other.db);
      await other.close();
      await expect(openStore(place)).rejects.toMatchObject({
        code: 'store/unusable',
        message: expect.stringMatching(/invoices/),
      });
    });

    it('all or nothing', async () => {
      const place = await places.next();
      const broken: Migration = {
        name: '002-breaks',
        up: async ({ table, types }) => {
          await table('half').addColumn('id', types.text).execute();
          throw new Error('half way');
        },
      };
      await expect(openStore(place, { migrations: [MIGRATIONS[0]!, broken] })).rejects.toThrow('half way');
      const store = await openStore(place, { migrations: 'none' });
      expect(await store.db.introspection.getTables()).toEqual([]);
      await store.close();
      await (await openStore(place)).close();
    });

    it('once, when several processes start at the same moment', async () => {
      const place = await places.next();
      const program = `
        const { openStore } = await import(${JSON.stringify(new URL('./open-store.ts', import.meta.url).href)});
        await new Promise((resolve) => process.stdin.once('data', resolve));
        const store = await openStore(${JSON.stringify(place)});
        await store.db.insertInto('events').values({ id: String(process.pid), at: 1, event: 'e', actor: 'a', about: '{}' }).execute();
        await store.close();
        process.exit(0);`;
      const children = Array.from({ length: 4 }, () =>
        spawn(
          process.execPath,
          ['--input-type=module', '--disable-warning=ExperimentalWarning', '-e', program],
          {
            stdio: ['pipe', 'inherit', 'inherit'],
          },
        ),
      );
      const codes = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of children) child.stdin!.write('go');
      expect(await Promise.all(codes)).toEqual([0, 0, 0, 0]);
      const store = await openStore(place);
      expect(await countOf(store, 'events')).toBe(4);
      expect(await countOf(store, 'glacis_migrations')).toBe(MIGRATIONS.length);
      await store.close();
    });
  });
});
