import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, type Places, placesOf } from '../../test/servers/store-places.ts';
import { openStore } from './open-store.ts';
import { retentionSchema, storeBytes, sweepStore } from './retention.ts';

const DAY = 86_400_000;

describe.each(ENGINES)('what is kept on $engine', ({ engine, missing }) => {
  describe.skipIf(missing !== '')(missing || 'works', () => {
    let places: Places;
    beforeAll(async () => {
      places = await placesOf(engine);
    });
    afterAll(() => places.end());

    it('is what the policy keeps: older rows go, in pages, and what is open or valid stays', async () => {
      const store = await openStore(await places.next());
      const now = 1000 * DAY;
      const entries = Array.from({ length: 1300 }, (_, i) => ({
        entry: i,
        kind: 'decision',
        at: i < 1200 ? i : now - i,
      }));
      await store.db
        .insertInto('log_index')
        .values(entries as never)
        .execute();
      const review = { at: 1, kind: 'divergence', model: 'm', summary: '{}' };
      await store.db
        .insertInto('reviews')
        .values([
          { id: 'open', state: 'open', ...review },
          { id: 'old', state: 'released', decided: 1, ...review },
          { id: 'new', state: 'released', decided: now - DAY, ...review },
        ] as never)
        .execute();
      const key = {
        algorithm: 'sha256',
        principal: 'p',
        tenant: 't',
        roles: '[]',
        scopes: '[]',
        created: 1,
        created_by: 'x',
      };
      await store.db
        .insertInto('api_keys')
        .values([
          { id: 'a', hash: 'a', ...key },
          { id: 'b', hash: 'b', expires: 5, ...key },
          { id: 'c', hash: 'c', revoked: 5, ...key },
          { id: 'd', hash: 'd', expires: now + DAY, ...key },
        ] as never)
        .execute();
      const budget = { scope: 'principal', subject: 's', model: 'm', slots: '[]', revision: 1 };
      await store.db
        .insertInto('budgets')
        .values([
          { id: 'x', ends: 50, ...budget },
          { id: 'y', ends: 150, ...budget },
        ])
        .execute();
      const gone = await sweepStore(store, retentionSchema.parse({}), { now, budgetTime: 100 });
      expect(gone).toEqual({ log_index: 1200, events: 0, reviews: 1, api_keys: 2, budgets: 1 });
      const ids = async (table: 'reviews' | 'api_keys' | 'budgets') =>
        (await store.db.selectFrom(table).select('id').orderBy('id').execute()).map(({ id }) => id);
      expect(await ids('reviews')).toEqual(['new', 'open']);
      expect(await ids('api_keys')).toEqual(['a', 'd']);
      expect(await ids('budgets')).toEqual(['y']);
      expect(await storeBytes(store)).toBeGreaterThan(10_000);
      await store.close();
    });
  });
});
