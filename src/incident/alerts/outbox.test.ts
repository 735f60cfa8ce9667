import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, type Places, placesOf } from '../../../test/servers/store-places.ts';
import { openStore, type Store } from '../../store/index.ts';
import { aCase } from './alerts.fixture.ts';
import { type AlertMessage, messageOfCase } from './message.ts';
import { type Outbox, openOutbox } from './outbox.ts';
import { channelStates, listAlerts } from './show.ts';

describe.each(ENGINES)('an outbox on $engine', ({ engine, missing }) => {
  describe.skipIf(missing !== '')(missing || 'works', () => {
    let places: Places;
    let store: Store;
    let outbox: Outbox;
    beforeAll(async () => {
      places = await placesOf(engine);
    });
    beforeEach(async () => {
      store = await openStore(await places.next());
      outbox = openOutbox(store);
    });
    afterEach(() => store.close());
    afterAll(() => places.end());

    const hostile = 'a\0b\ud800\u202e\n\'";-- 💧';
    const message = (id: string, action: AlertMessage['action'] = 'trigger') => ({
      ...messageOfCase(aCase({ id, title: hostile, principals: [hostile] }), 'https://glacis.example.org'),
      action,
    });
    const add = (id: string, action?: AlertMessage['action'], at = 1000) =>
      outbox.add({
        ...{
          id: randomBytes(16).toString('hex'),
          channel: 'c',
          subject: id,
          at,
          due: at,
          bundledDue: at + 500,
          until: 9000,
        },
        message: message(id, action),
      });

    it('keeps what any caller is called, and gives it back in order, the first of each subject', async () => {
      await add('one');
      await add('one', 'resolve');
      await add('two', 'trigger', 999);
      const due = await outbox.due('c', 1000, 10);
      expect(due.map(({ message: { case: about, action } }) => [about.id, action])).toEqual([
        ['one', 'trigger'],
        ['two', 'trigger'],
      ]);
      expect(due[0]!.message.case.principals[0]).toBe(hostile.toWellFormed());
      expect(due[0]!.row.title).toMatch(/^a b/);
      expect(await outbox.due('c', 998, 10)).toEqual([]);
      expect(await outbox.due('other', 1000, 10)).toEqual([]);
      expect([await outbox.next('c'), await outbox.next('other')]).toEqual([999, undefined]);
    });

    it('is taken from by one of many', async () => {
      await add('one');
      const [waiting] = await outbox.due('c', 1000, 1);
      const claims = await Promise.all(Array.from({ length: 5 }, () => outbox.claim(waiting!, 2000)));
      expect(claims.filter((each) => each)).toHaveLength(1);
      await outbox.finish(waiting!, { state: 'sent', at: 1500 });
      expect([
        await outbox.sentSince('c', 1000),
        await outbox.sentSince('c', 1500),
        await outbox.isTold('c', 'one'),
      ]).toEqual([1, 0, true]);
    });

    it('sends once more what was added to while it was on its way', async () => {
      await add('one');
      const [first] = await outbox.due('c', 1000, 1);
      await outbox.claim(first!, 2000);
      await outbox.finish(first!, { state: 'sent', at: 1000 });
      await add('one', 'update');
      const [news] = await outbox.due('c', 1500, 1);
      await outbox.claim(news!, 3000);
      await add('one', 'update');
      await outbox.finish(news!, { state: 'sent', at: 1600 });
      const [again] = await outbox.due('c', 2000, 1);
      expect([again!.row.id, again!.message.news.length]).toEqual([news!.row.id, 2]);
    });

    it('counts and lists', async () => {
      for (let i = 0; i < 5; i++) await add(`case-${i}`);
      const [first] = await outbox.due('c', 1000, 1);
      await outbox.claim(first!, 2000);
      await outbox.finish(first!, { state: 'given-up', because: 'status 500', due: 1000 });
      const config = { name: 'c', kind: 'slack', least: 'low' } as never;
      const [state] = await channelStates(store, [
        { config, channel: { to: 'x' } as never, because: undefined },
      ]);
      expect(state).toEqual({
        name: 'c',
        kind: 'slack',
        to: 'x',
        least: 'low',
        waiting: 4,
        sent: 0,
        givenUp: 1,
      });
      const page = await listAlerts(store, { most: 2 });
      const rest = await listAlerts(store, { most: 10, before: Number(page.next) });
      expect([...page.rows, ...rest.rows].map((row) => row.case)).toEqual([
        'case-4',
        'case-3',
        'case-2',
        'case-1',
        'case-0',
      ]);
      expect((await listAlerts(store, { state: 'given-up' })).rows).toMatchObject([
        { case: 'case-0', because: 'status 500', tries: 1 },
      ]);
    });
  });
});
