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
      const body = { kind: 'attack', body: '{}' };
      const whole = { severity: 'high', first: 1, last: 1, revision: 1, words: '', year: 1970, ...body };
      await store.db
        .insertInto('cases')
        .values([
          { id: 'long-closed', number: 1, state: 'closed', opened: 1, updated: 1, ...whole },
          { id: 'long-open', number: 2, state: 'open', opened: 1, updated: 1, ...whole },
        ])
        .execute();
      for (const case_id of ['long-closed', 'long-open']) {
        const alarm = { at: 1, monitor: 'm', model: 'm', subject: 's', again: 0, ...body };
        await store.db
          .insertInto('alarms')
          .values({ id: case_id, case_id, ...alarm })
          .execute();
        const subject = { subject: case_id, case_id, queries: 1 };
        await store.db.insertInto('case_subjects').values(subject).execute();
        const event = { id: case_id, case_id, seq: 1, at: 1, actor: 'a', word: null, entry: null, ...body };
        await store.db.insertInto('case_events').values(event).execute();
        const impact = { id: case_id, case_id, state: 'done', at: 1, cursor: 0, body: '{}' };
        await store.db.insertInto('impacts').values(impact).execute();
        const row = { impact: case_id, entry: 1, different: 0, body: '{}' };
        await store.db.insertInto('impact_rows').values(row).execute();
      }
      const gone = await sweepStore(store, retentionSchema.parse({}), { now, budgetTime: 100 });
      expect(gone).toMatchObject({ log_index: 1200, events: 0, reviews: 1, api_keys: 2, budgets: 1 });
      expect(gone).toMatchObject({ cases: 1, alarms: 1, case_events: 1, case_subjects: 1 });
      expect(gone).toMatchObject({ impacts: 1, impact_rows: 1 });
      const ids = async (table: 'reviews' | 'api_keys' | 'budgets' | 'cases' | 'alarms' | 'impacts') =>
        (await store.db.selectFrom(table).select('id').orderBy('id').execute()).map(({ id }) => id);
      expect(await ids('reviews')).toEqual(['new', 'open']);
      expect(await ids('api_keys')).toEqual(['a', 'd']);
      expect(await ids('budgets')).toEqual(['y']);
      for (const table of ['cases', 'alarms', 'impacts'] as const)
        expect(await ids(table), table).toEqual(['long-open']);
      expect(await storeBytes(store)).toBeGreaterThan(10_000);
      await store.close();
    });
  });
});
