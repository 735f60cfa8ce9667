import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, type Places, placesOf } from '../../../test/servers/store-places.ts';
import { openStore, type Store } from '../../store/index.ts';
import { keyForLink, makeLink, takeLink } from './links.ts';
import { openSessions, type Sessions } from './sessions.ts';

describe.each(ENGINES)('sessions on $engine', ({ engine, missing }) => {
  describe.skipIf(missing !== '')(missing || 'work', () => {
    let places: Places;
    let store: Store;
    let sessions: Sessions;
    let now = 1_000_000;
    beforeAll(async () => {
      places = await placesOf(engine);
    });
    beforeEach(async () => {
      store = await openStore(await places.next());
      sessions = openSessions(
        store,
        () => ({ idle: 1000, longest: 5000, most: 3 }),
        () => now,
      );
      now = 1_000_000;
    });
    afterEach(() => store.close());
    afterAll(() => places.end());
    const ann = { principal: 'ann', tenant: 'acme', credential: 'k' };

    it('are found, used, ended, and counted, on every gateway of the store', async () => {
      const claimed = { issuer: 'i', claims: { sub: 'ann', groups: ['ops'] } };
      const { id, session } = await sessions.begin({ ...ann, claimed }, '::1');
      const elsewhere = openSessions(
        store,
        () => ({ idle: 1000, longest: 5000, most: 3 }),
        () => now,
      );
      expect(await elsewhere.find(id)).toEqual(session);
      expect(session).toMatchObject({ claimed, ends: now + 1000 });
      now += 900;
      await elsewhere.touch(session);
      now += 900;
      expect(await sessions.find(id)).toMatchObject({ name: session.name });
      expect(await sessions.holding([session.name, 'other'])).toEqual(new Set([session.name]));
      expect([await elsewhere.end(session.name, 'ann'), await sessions.end(session.name, 'ann')]).toEqual([
        true,
        false,
      ]);
      expect([
        await sessions.find(id),
        await sessions.list(),
        (await sessions.holding([session.name])).size,
      ]).toEqual([undefined, [], 0]);
    });

    it('are as many as a person may have, also when all begin at once', async () => {
      await Promise.all(Array.from({ length: 8 }, () => sessions.begin(ann, '::1')));
      await sessions.begin({ ...ann, principal: 'ben' }, '::1');
      expect([(await sessions.list('ann')).length, (await sessions.list()).length]).toEqual([3, 4]);
    });

    it('begin with a link that one of many may use, for a key that has a role', async () => {
      const key = (id: string, over: object) =>
        store.db
          .insertInto('api_keys')
          .values({
            id,
            hash: id,
            algorithm: 'a',
            name: null,
            principal: 'ann',
            tenant: 't',
            roles: '["admin"]',
            scopes: '[]',
            created: now,
            created_by: 'x',
            not_before: null,
            expires: null,
            last_used: null,
            revoked: null,
            revoked_by: null,
            revoked_because: null,
            replaced_by: null,
            ...over,
          })
          .execute();
      await key('old', { created: now - 10 });
      await key('new', {});
      await key('plain', { roles: '[]', created: now + 1 });
      await key('revoked', { revoked: now, created: now + 2 });
      await key('expired', { expires: now, created: now + 3 });
      await key('later', { not_before: now + 1, created: now + 4 });
      expect([await keyForLink(store, 'ann', now), await keyForLink(store, 'ben', now)]).toEqual([
        'new',
        undefined,
      ]);
      const { link, ends } = await makeLink(store, { credential: 'new', by: 'x', now, lifetime: 100 });
      expect(await takeLink(store, `${link}x`, now)).toBeUndefined();
      expect(await takeLink(store, link, ends)).toBeUndefined();
      const taken = await Promise.all(Array.from({ length: 5 }, () => takeLink(store, link, now)));
      expect(taken.filter((each) => each !== undefined)).toEqual([{ credential: 'new', by: 'x' }]);
      for (let i = 0; i < 20; i++) await makeLink(store, { credential: 'new', by: 'x', now, lifetime: 100 });
      await expect(makeLink(store, { credential: 'new', by: 'x', now, lifetime: 100 })).rejects.toMatchObject(
        { code: 'option/invalid' },
      );
    });
  });
});
