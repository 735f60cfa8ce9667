import { statSync } from 'node:fs';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, type Places, placesOf } from '../../test/servers/store-places.ts';
import { openStore, type Store, type StorePlace } from './open-store.ts';

describe.each(ENGINES)('a store on $engine', ({ engine, missing }) => {
  describe.skipIf(missing !== '')(missing || 'works', () => {
    let places: Places;
    let place: StorePlace;
    let store: Store;
    beforeAll(async () => {
      places = await placesOf(engine);
    });
    beforeEach(async () => {
      place = await places.next();
      store = await openStore(place);
    });
    afterEach(() => store.close());
    afterAll(() => places.end());

    const put = (name: string, changed = 0) =>
      store.db.insertInto('state').values({ name, value: 'v', changed });
    const names = async () =>
      (await store.db.selectFrom('state').select('name').orderBy('name').execute()).map(({ name }) => name);

    it('and keeps rows after it is closed', async () => {
      await put('x', 2 ** 52).execute();
      await store.close();
      store = await openStore(place);
      const rows = await store.db.selectFrom('state').selectAll().execute();
      expect(rows).toEqual([{ name: 'x', value: 'v', changed: 2 ** 52 }]);
      expect(await store.reader.selectFrom('state').selectAll().execute()).toEqual(rows);
      if (place.kind === 'sqlite') expect(statSync(place.file).mode & 0o777).toBe(0o600);
    });

    it('gives numbers back as numbers, sums included, and text as it was', async () => {
      const text = 'a\0b — 💧\n\'";--';
      await put(engine === 'sqlite' ? text : text.replace('\0', ''), 7).execute();
      await put('y', 8).execute();
      const { rows } = await sql`select sum(changed) as sum, count(*) as count from state`.execute(store.db);
      expect(rows).toEqual([{ sum: 15, count: 2 }]);
      expect(await names()).toContain(engine === 'sqlite' ? text : text.replace('\0', ''));
    });

    it('and tells how many rows a statement changed', async () => {
      for (const name of ['a', 'b', 'c']) await put(name).execute();
      const { numUpdatedRows } = await store.db
        .updateTable('state')
        .set({ value: 'w' })
        .where('name', '>', 'a')
        .executeTakeFirst();
      expect(numUpdatedRows).toBe(2n);
      const returned = await store.db
        .deleteFrom('state')
        .where('name', '=', 'a')
        .returning('value')
        .execute();
      expect(returned).toEqual([{ value: 'v' }]);
    });

    it('and refuses a row that breaks a rule with a code of its own, and a wrong statement with another', async () => {
      await put('x').execute();
      await expect(put('x').execute()).rejects.toMatchObject({ code: 'store/conflict' });
      await expect(sql`insert into state values ('y', null, 0)`.execute(store.db)).rejects.toMatchObject({
        code: 'store/conflict',
      });
      await expect(sql`select nothing from nowhere`.execute(store.db)).rejects.toMatchObject({
        code: 'run/failed',
      });
      await expect(sql`insert into state values ('y', 'v', 'text')`.execute(store.db)).rejects.toThrow();
      expect(await names()).toEqual(['x']);
    });

    it('and names no value in an error', async () => {
      await put('secret-value').execute();
      const thrown = await put('secret-value')
        .execute()
        .catch((error: unknown) => error);
      expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toContain('secret-value');
    });

    it('and undoes a transaction that throws, with everything in it', async () => {
      const failing = store.db.transaction().execute(async (db) => {
        await db.insertInto('state').values({ name: 'in', value: '', changed: 0 }).execute();
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await names()).toEqual([]);
      await put('after').execute();
      expect(await names()).toEqual(['after']);
    });

    it('and undoes a transaction in which a statement failed', async () => {
      const failing = store.transact(async (db) => {
        await db.insertInto('state').values({ name: 'a', value: '', changed: 0 }).execute();
        await db.insertInto('state').values({ name: 'a', value: '', changed: 0 }).execute();
      });
      await expect(failing).rejects.toMatchObject({ code: 'store/conflict' });
      expect(await names()).toEqual([]);
    });

    it('and keeps statements of others out of a transaction', async () => {
      let inside: () => void = () => {};
      const isInside = new Promise<void>((resolve) => {
        inside = resolve;
      });
      const failing = store.db.transaction().execute(async (db) => {
        await db.insertInto('state').values({ name: 'in', value: '', changed: 0 }).execute();
        inside();
        await new Promise((resolve) => setTimeout(resolve, 30));
        throw new Error('no');
      });
      await isInside;
      const outside = put('out').execute();
      await expect(failing).rejects.toThrow('no');
      await outside;
      expect(await names()).toEqual(['out']);
    });

    it('and adds up when many transactions read and write the same row at once', async () => {
      await put('sum', 0).execute();
      await Promise.all(
        Array.from({ length: 25 }, () =>
          store.transact(async (db) => {
            const { changed } = await db
              .selectFrom('state')
              .select('changed')
              .where('name', '=', 'sum')
              .executeTakeFirstOrThrow();
            await db
              .updateTable('state')
              .set({ changed: changed + 1 })
              .where('name', '=', 'sum')
              .execute();
          }),
        ).map((work) =>
          work.catch((thrown: unknown) => expect(thrown).toMatchObject({ code: 'store/unavailable' })),
        ),
      );
      const [row] = await store.db.selectFrom('state').select('changed').execute();
      expect(row!.changed).toBeLessThanOrEqual(25);
      if (engine === 'sqlite') expect(row!.changed).toBe(25);
      else expect(row!.changed).toBeGreaterThan(0);
    });

    it('and runs statements that stand for themselves, each with its own outcome', async () => {
      const outcomes = await store.each([
        put('a').compile(),
        put('a').compile(),
        put('b').compile(),
        store.db.selectFrom('state').select('name').where('name', '=', 'nothing').compile(),
      ]);
      expect(outcomes.filter((outcome) => 'error' in outcome)).toHaveLength(1);
      expect(outcomes.find((outcome) => 'error' in outcome)).toMatchObject({
        error: { code: 'store/conflict' },
      });
      expect(outcomes[3]).toEqual({ rows: [], changes: 0 });
      expect(await names()).toEqual(['a', 'b']);
      expect(await store.each([])).toEqual([]);
    });

    it('and refuses a parameter that is no value', async () => {
      const values = { name: 'x', value: { a: 1 } as unknown as string, changed: 0 };
      if (engine === 'sqlite')
        await expect(store.db.insertInto('state').values(values).execute()).rejects.toMatchObject({
          code: 'run/failed',
        });
      await expect(put('x', Number.NaN).execute()).rejects.toThrow();
      expect(await store.db.selectFrom('state').select('name').where('name', '=', 'x').execute()).toEqual([]);
    });

    it('and does nothing after it is closed', async () => {
      await store.close();
      await store.close();
      await expect(names()).rejects.toThrow();
      await expect(
        store
          .each([put('x').compile()])
          .then(([outcome]) => ('error' in outcome! ? Promise.reject(outcome.error) : outcome)),
      ).rejects.toThrow();
    });
  });
});
