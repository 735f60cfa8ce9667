import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, type Places, placesOf } from '../../test/servers/store-places.ts';
import { backupStore, restoreStore } from './backup.ts';
import type { Engine } from './engine.ts';
import { openStore, type Store, type StorePlace } from './open-store.ts';

/** A store with rows in several tables, more than a page of them. */
async function filled(place: StorePlace): Promise<Store> {
  const store = await openStore(place);
  const names = Array.from({ length: 450 }, (_, i) => `n${String(i).padStart(4, '0')} — 💧\n\r\u2028"`);
  await store.db
    .insertInto('state')
    .values(names.map((name, i) => ({ name, value: 'v', changed: 2 ** 50 + i })))
    .execute();
  const version = {
    digest: 'd',
    source: 's',
    state: 'ready',
    share: 0.1,
    added: 1,
    changed: 2,
    actor: 'a',
    about: '{}',
  };
  await store.db
    .insertInto('models')
    .values([1, 2, 3].flatMap((m) => [1, 2].map((v) => ({ model: `m${m}`, version: `${v}`, ...version }))))
    .execute();
  await store.db
    .insertInto('reviews')
    .values({
      id: 'r',
      at: 1,
      kind: 'guard',
      model: 'm',
      divergence: null,
      summary: '{}',
      state: 'open',
    } as never)
    .execute();
  return store;
}

async function contents(store: Store) {
  return {
    state: await store.db.selectFrom('state').selectAll().orderBy('name').execute(),
    models: await store.db.selectFrom('models').selectAll().orderBy('model').orderBy('version').execute(),
    reviews: await store.db.selectFrom('reviews').selectAll().execute(),
  };
}

describe.each(ENGINES)('a backup of $engine', ({ engine, missing }) => {
  describe.skipIf(missing !== '')(missing || 'works', () => {
    const places = new Map<Engine, Places>();
    const placeOf = (kind: Engine) => places.get(kind)!.next();
    let files = 0;
    const newFile = () => join(places.get('sqlite')!.folder, `backup-${++files}`);
    beforeAll(async () => {
      places.set('sqlite', await placesOf('sqlite'));
      if (engine !== 'sqlite') places.set(engine, await placesOf(engine));
    });
    afterAll(async () => {
      for (const each of places.values()) await each.end();
    });

    it('holds what the store held, while it is written to', async () => {
      const store = await filled(await placeOf(engine));
      const before = await contents(store);
      const file = newFile();
      const later = store.db
        .insertInto('events')
        .values({ id: 'e', at: 1, event: 'x', actor: 'a', about: '{}' });
      await Promise.all([backupStore(store, file), later.execute()]);
      await store.close();
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(existsSync(`${file}.unfinished`)).toBe(false);
      const place = await placeOf(engine);
      await restoreStore(file, place);
      const restored = await openStore(place);
      expect(await contents(restored)).toEqual(before);
      await restored.close();
    });

    it('in the portable form moves a store to the other engine and back', async () => {
      const store = await filled(await placeOf(engine));
      const before = await contents(store);
      let file = newFile();
      await backupStore(store, file, { portable: true });
      await store.close();
      for (const target of ['sqlite', engine] as const) {
        const place = await placeOf(target);
        await restoreStore(file, place);
        const restored = await openStore(place);
        expect(await contents(restored)).toEqual(before);
        file = newFile();
        await backupStore(restored, file, { portable: true });
        await restored.close();
      }
    });

    it('is not written over a file, nor restored over a store', async () => {
      const place = await placeOf(engine);
      const store = await filled(place);
      const before = await contents(store);
      const file = newFile();
      writeFileSync(file, 'mine');
      await expect(backupStore(store, file)).rejects.toMatchObject({ code: 'output/unwritable' });
      expect(readFileSync(file, 'utf8')).toBe('mine');
      const backup = newFile();
      await backupStore(store, backup);
      await expect(restoreStore(backup, place)).rejects.toThrow();
      const portable = newFile();
      await backupStore(store, portable, { portable: true });
      await expect(restoreStore(portable, place)).rejects.toThrow();
      expect(await contents(store)).toEqual(before);
      await store.close();
    });

    it('that is damaged restores nothing', async () => {
      const store = await filled(await placeOf(engine));
      const file = newFile();
      await backupStore(store, file, { portable: true });
      await store.close();
      const lines = gunzipSync(readFileSync(file)).toString().split('\n').slice(0, -1);
      const harmed: readonly (readonly [string, Buffer])[] = [
        ['cut short', readFileSync(file).subarray(0, 900)],
        ['without its end', gzipSync(`${lines.slice(0, -1).join('\n')}\n`)],
        ['with a row changed', gzipSync(`${lines.join('\n').replace('"v"', '"w"')}\n`)],
        ['with a line gone', gzipSync(`${lines.filter((_, i) => i !== 2).join('\n')}\n`)],
        [
          'with lines in another order',
          gzipSync(`${[lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n')}\n`),
        ],
        ['with something after its end', gzipSync(`${lines.join('\n')}\n{}\n`)],
        [
          'of another table',
          gzipSync(`${lines.join('\n').replaceAll('"table":"state"', '"table":"sqlite_master"')}\n`),
        ],
        ['of something else', gzipSync('{"format":"other"}\n')],
        ['that is nothing', gzipSync('')],
        ['that is no JSON', gzipSync('x\n')],
        ['that is null', gzipSync('null\n')],
        [
          'of a newer Glacis',
          gzipSync(`${lines.join('\n').replace('"migrations":[', '"migrations":["000-x",')}\n`),
        ],
      ];
      const place = await placeOf(engine);
      for (const [name, bytes] of harmed) {
        const path = newFile();
        writeFileSync(path, bytes);
        await expect(restoreStore(path, place), name).rejects.toMatchObject({ code: 'store/unusable' });
      }
      // The place is as empty as before.
      await restoreStore(file, place);
      await expect(restoreStore(newFile(), await placeOf(engine))).rejects.toMatchObject({
        code: 'store/unusable',
      });
    });
  });
});

describe('a backup that is a file of SQLite', () => {
  it('is refused where it is damaged, or for PostgreSQL', async () => {
    const places = await placesOf('sqlite');
    const store = await filled(await places.next());
    const file = join(places.folder, 'backup');
    await backupStore(store, file);
    await store.close();
    await expect(
      restoreStore(file, { kind: 'postgres', url: 'postgres://localhost/x' }),
    ).rejects.toMatchObject({
      code: 'store/unusable',
    });
    const { DatabaseSync } = await import('node:sqlite');
    const trapped = join(places.folder, 'trapped');
    copyFileSync(file, trapped);
    const db = new DatabaseSync(trapped);
    db.exec('create trigger keep after update on api_keys begin update api_keys set revoked = null; end');
    db.close();
    await expect(
      restoreStore(trapped, { kind: 'sqlite', file: join(places.folder, 'trap.db') }),
    ).rejects.toMatchObject({
      code: 'store/unusable',
    });
    const bytes = readFileSync(file);
    bytes.fill(0x5a, bytes.length - 4096, bytes.length - 3996);
    writeFileSync(file, bytes);
    const place = { kind: 'sqlite', file: join(places.folder, 'restored.db') } as const;
    await expect(restoreStore(file, place)).rejects.toMatchObject({ code: 'store/unusable' });
    expect(existsSync(place.file)).toBe(false);
    await places.end();
  });
});
