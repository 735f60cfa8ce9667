import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, type Places, placesOf } from '../../../../test/servers/store-places.ts';
import { openStore, type Store } from '../../../store/index.ts';
import { databaseKeys } from './database-keys.ts';
import type { KeyRecord } from './key-record.ts';
import type { KeyStore } from './key-store.ts';
import { openKeyTable } from './key-table.ts';
import { scopeFromList, scopeToList } from './stored-scope.ts';

const record = (id: string, over: Partial<KeyRecord> = {}): KeyRecord => ({
  id,
  hash: id.charCodeAt(0).toString(16).padStart(64, '0'),
  name: 'scanner',
  principal: 'acme-scanner',
  tenant: 'acme',
  roles: ['reviewer'],
  scope: { models: ['a:b', '*'], operations: ['infer', 'ready'], detail: 'topk' },
  created: 1_790_000_000_000,
  createdBy: 'root',
  notBefore: undefined,
  expires: 1_800_000_000_000,
  lastUsed: undefined,
  revoked: undefined,
  revokedBy: undefined,
  revokedBecause: undefined,
  replacedBy: undefined,
  ...over,
});
const act = { at: 5, by: 'root', because: 'leaked' };

describe.each(ENGINES)('keys in the database on $engine', ({ engine, missing }) => {
  describe.skipIf(missing !== '')(missing || 'are kept', () => {
    let places: Places;
    let store: Store;
    let keys: KeyStore;
    beforeAll(async () => {
      places = await placesOf(engine);
      store = await openStore(await places.next());
      keys = databaseKeys(store);
    });
    afterAll(async () => {
      await store.close();
      await places.end();
    });

    it('come back as they were', async () => {
      await keys.add(record('a'));
      expect((await keys.load(10)).keys).toEqual([record('a')]);
    });

    it('show a new version after each change, and none where nothing changed', async () => {
      const seen = new Set<string>();
      const look = async () => {
        const version = JSON.stringify(await keys.version());
        expect(JSON.stringify(await keys.version())).toBe(version);
        expect(seen.has(version)).toBe(false);
        seen.add(version);
      };
      await look();
      await keys.add(record('b'));
      await look();
      await keys.replace('b', 1_795_000_000_000, record('c'));
      await look();
      expect(await keys.revoke('c', act)).toBe(true);
      await look();
      await keys.shutOut('acme-scanner', 'acme', true, act);
      await look();
      await keys.shutOut('acme-scanner', 'acme', false, { ...act, at: 6 });
      await look();
      await keys.used([['a', 7]]);
      expect(seen.has(JSON.stringify(await keys.version()))).toBe(true);
      const { keys: all, shutOut } = await keys.load(10);
      expect(shutOut).toEqual([]);
      expect(all.find(({ id }) => id === 'a')?.lastUsed).toBe(7);
      expect(all.find(({ id }) => id === 'b')).toMatchObject({ expires: 1_795_000_000_000, replacedBy: 'c' });
      expect(all.find(({ id }) => id === 'c')).toMatchObject({
        revoked: 5,
        revokedBy: 'root',
        revokedBecause: 'leaked',
      });
    });

    it('are revoked once and replaced once', async () => {
      expect(await keys.revoke('c', act)).toBe(false);
      expect(await keys.revoke('none', act)).toBe(false);
      await expect(keys.replace('b', 1, record('d'))).rejects.toMatchObject({ code: 'option/invalid' });
      expect((await keys.load(10)).keys.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c']);
    });

    it('give a principal to one tenant only', async () => {
      await expect(keys.add(record('e', { tenant: 'other' }))).rejects.toMatchObject({
        code: 'option/invalid',
      });
      await expect(keys.shutOut('acme-scanner', 'other', true, act)).rejects.toMatchObject({
        code: 'option/invalid',
      });
    });

    it('are all read, however many fit into a page', async () => {
      for (const page of [1, 2, 3, 4])
        expect((await databaseKeys(store, page).load(10)).keys.map(({ id }) => id).sort()).toEqual([
          'a',
          'b',
          'c',
        ]);
    });

    it('are refused where there are more than the index may hold', async () => {
      await expect(keys.load(2)).rejects.toMatchObject({ code: 'store/unusable' });
      await expect(keys.changed(0, 2)).rejects.toMatchObject({ code: 'store/unusable' });
    });

    it('amount to the version that a table of them tells', async () => {
      const table = openKeyTable();
      for (const key of (await keys.load(10)).keys) table.put(key);
      expect((await keys.version()).keys).toBe(table.version());
    });

    it('are told apart by how their ids begin, and so it shows where some are gone', async () => {
      const table = openKeyTable();
      for (const id of ['a1', 'a2', 'zz1', 'zz2', 'zz3', 'z'])
        await keys.add(record(id, { hash: Buffer.from(id).toString('hex').padStart(64, '0') }));
      for (const key of (await keys.load(20)).keys) table.put(key);
      expect(await keys.parts()).toEqual(table.parts());
      await store.db.deleteFrom('api_keys').where('id', '=', 'zz2').execute();
      const now = await keys.parts();
      const others = [...table.parts()].filter(([part, version]) => now.get(part) !== version);
      expect(others.map(([part]) => part)).toEqual(['zz']);
      for (const page of [1, 2, 10]) {
        const found = await databaseKeys(store, page).keysIn(['zz', 'a1'], 20);
        expect(found.keys.map(({ id }) => id).sort()).toEqual(['a1', 'zz1', 'zz3']);
      }
      await expect(keys.keysIn(['zz', 'a1'], 2)).rejects.toMatchObject({ code: 'store/unusable' });
      expect((await keys.keysIn([], 2)).keys).toEqual([]);
      for (const id of ['a1', 'a2', 'zz1', 'zz3', 'z'])
        await store.db.deleteFrom('api_keys').where('id', '=', id).execute();
    });

    it('that were made, revoked or replaced since a time are told apart', async () => {
      const later = 1_900_000_000_000;
      await keys.add(record('old', { principal: 'p2' }));
      await keys.add(record('ended', { principal: 'p2' }));
      expect(await keys.changed(later, 10)).toEqual({ keys: [], damaged: [], shutOut: [] });
      await keys.replace('old', later + 9, record('new', { principal: 'p2', created: later }));
      await keys.revoke('ended', { ...act, at: later + 1 });
      await keys.shutOut('p2', 'acme', true, act);
      for (const page of [1, 2, 10]) {
        const { keys: changed, shutOut } = await databaseKeys(store, page).changed(later, 10);
        expect(changed.map(({ id }) => id)).toEqual(['ended', 'new', 'old']);
        expect(shutOut).toEqual(['p2']);
      }
      for (const id of ['old', 'ended', 'new'])
        await store.db.deleteFrom('api_keys').where('id', '=', id).execute();
    });

    it.each([
      ['another hash', { algorithm: 'md5' }],
      ['roles that are no list', { roles: '{}' }],
      ['scopes that are no JSON', { scopes: '[' }],
      ['a scope that is not known', { scopes: '["model:*","detail:label","moon:full"]' }],
    ])('with %s do not work and are reported', async (_, change) => {
      await store.db.updateTable('api_keys').set(change).where('id', '=', 'a').execute();
      const { keys: all, damaged } = await keys.load(10);
      expect(damaged).toEqual([{ id: 'a', created: record('a').created, expires: record('a').expires }]);
      expect(all.map(({ id }) => id)).not.toContain('a');
      await store.db.deleteFrom('api_keys').where('id', '=', 'a').execute();
      await keys.add(record('a'));
    });
  });
});

describe('a scope as a list', () => {
  it.each([
    [[]],
    [['detail:label', 'detail:topk']],
    [['detail:all']],
    [['detail:label', 'model:']],
    [['detail:label', 'operation:load']],
    [['detail:label', 5]],
    [['label']],
    ['detail:label'],
    [null],
  ])('%j says nothing', (list) => {
    expect(scopeFromList(list)).toBeUndefined();
  });

  it('says the same again', () => {
    const { scope } = record('a');
    expect(scopeFromList(scopeToList(scope))).toEqual(scope);
  });
});
