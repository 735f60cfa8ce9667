import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, type Places, placesOf } from '../../../test/servers/store-places.ts';
import { until } from '../../../test/until.ts';
import { GlacisError } from '../../core/error.ts';
import { openStore, type Store } from '../../store/index.ts';
import { countingIds, readIncidents, START } from '../incident.fixture.ts';
import { decisionOf, memoryPast } from '../past.fixture.ts';
import type { Past, PastDecision } from '../past.ts';
import type { ImpactSummary, Replay } from './impact.ts';
import { type Impacts, type ImpactsSetting, openImpacts } from './open-impacts.ts';
import { type SearchHere, searchHere } from './search-here.ts';

/** 1,000 decisions; those of even number are of the bad version; class 1 is its mistake on every tenth. */
const DECISIONS = Array.from({ length: 1000 }, (_, i) =>
  decisionOf(i, {
    version: i % 2 === 0 ? 'bad' : 'good',
    digest: i % 2 === 0 ? 'sha256:bad' : 'sha256:good',
    principal: `p${i % 3}`,
    top: [[i % 10 === 0 ? 1 : 0, 0.9]],
    guards: i % 4 === 0 ? [{ guard: 'feeds', action: 'pass', score: 0 }] : [],
  }),
);

/** Says class 0 of everything; the inputs of every 50th were not kept. */
const GOOD: Replay = {
  run: async (all) => all.map(({ entry }) => (entry % 50 === 0 ? undefined : [[0, 0.8] as const])),
  close: async () => {},
};

describe.each(ENGINES)('what was affected, on $engine', ({ engine, missing }) => {
  describe.skipIf(missing !== '')(missing || 'works', () => {
    let places: Places;
    let store: Store;
    let impacts: Impacts | undefined;
    const heard: ImpactSummary[] = [];
    const failures: unknown[] = [];
    beforeAll(async () => {
      places = await placesOf(engine);
    });
    beforeEach(async () => {
      store = await openStore(await places.next());
      heard.length = 0;
      failures.length = 0;
    });
    afterEach(async () => {
      await impacts?.close();
      await store.close();
    });
    afterAll(() => places.end());

    const opened = (
      past: Past = memoryPast(DECISIONS),
      over: Partial<ImpactsSetting & SearchHere> = {},
      config: object = {},
    ) => {
      impacts = openImpacts({
        config: () => readIncidents({ impact: config }),
        ...{ store, log: 'here', now: () => START, freshId: countingIds('c') },
        search: searchHere({ past, now: () => START, openReplay: async () => GOOD, ...over }),
        ended: async () => ({}),
        notify: (impact) => heard.push(impact),
        failed: (_where, thrown) => failures.push(thrown),
        ...over,
      });
      return impacts;
    };
    const finished = async (desk: Impacts, wish: Parameters<Impacts['start']>[0]) => {
      const { id } = await desk.start(wish, 'ann');
      await desk.idle();
      return (await desk.find(id))!;
    };
    const walk = async (desk: Impacts, id: string) => {
      const rows: PastDecision[] = [];
      for (let before: string | undefined; ; ) {
        const page = await desk.rows(id, { before, most: 70 });
        rows.push(...page.rows);
        before = page.next;
        if (before === undefined) return rows;
      }
    };

    it('finds the decisions of a version, and those that a good one would have decided otherwise', async () => {
      const desk = opened();
      const done = await finished(desk, {
        scope: { model: 'signs', version: 'bad' },
        against: 'good',
        case: 'C-2026-0001',
      });
      expect(failures).toEqual([]);
      // 500 are of it, 20 of them were not kept, all those are of the 100 mistakes.
      expect(done).toMatchObject({
        ...{ state: 'done', looked: 500, affected: 500, replayed: 480, different: 80, unkept: 20, by: 'ann' },
        progress: [1000, 1000],
      });
      expect(done.principals.reduce((sum, { decisions }) => sum + decisions, 0)).toBe(500);
      expect(done.principals.reduce((sum, { different }) => sum + different, 0)).toBe(80);
      const rows = await walk(desk, done.id);
      expect(rows).toHaveLength(500);
      expect(new Set(rows.map(({ entry }) => entry)).size).toBe(500);
      expect(rows.slice(0, 80).every((row) => (row as { different?: boolean }).different)).toBe(true);
      expect(rows[0]).toMatchObject({ entry: 10, top: [[1, 0.9]], now: [[0, 0.8]] });
      expect((await desk.ofCase('C-2026-0001')).map(({ id }) => id)).toEqual([done.id]);
      expect(heard.at(-1)).toMatchObject({ state: 'done' });
    });

    it('finds them by principal, time, feed and what models were trained on', async () => {
      const desk = opened(memoryPast(DECISIONS), {
        modelsWith: async (data) => (data === 'sha256:poison' ? ['sha256:bad', 'sha256:older'] : []),
        modelsOfFeed: (feed) => (feed === 'lidar' ? ['signs'] : []),
      });
      const counts = async (scope: object) => (await finished(desk, { scope })).affected;
      expect(await counts({ principal: 'p1' })).toBe(333);
      expect(await counts({ from: START + 100, to: START + 199 })).toBe(100);
      expect(await counts({ data: 'sha256:poison' })).toBe(500);
      expect(await counts({ data: 'sha256:clean' })).toBe(0);
      expect(await counts({ feed: 'lidar' })).toBe(250);
      expect(await counts({ feed: 'radar' })).toBe(0);
      expect(await counts({ feed: 'lidar', digest: 'sha256:bad', principal: 'p0' })).toBe(84);
    });

    it('keeps so many rows and no more, those that differ first', async () => {
      const desk = opened(memoryPast(DECISIONS, 50), {}, { mostRows: 90 });
      const done = await finished(desk, { scope: { version: 'bad' }, against: 'good' });
      expect(done).toMatchObject({ affected: 500, different: 80 });
      const rows = (await walk(desk, done.id)) as (PastDecision & { different: boolean })[];
      expect(rows).toHaveLength(90);
      expect(rows.filter(({ different }) => different)).toHaveLength(80);
      const few = opened(
        memoryPast(DECISIONS, 50),
        { freshId: countingIds('d') },
        { mostRows: 10, mostReplayed: 256 },
      );
      const other = await finished(few, { scope: { version: 'bad' }, against: 'good' });
      expect(other.replayed).toBeLessThan(480);
      expect(await walk(few, other.id)).toHaveLength(10);
    });

    it('goes on after a restart where it was, and counts nothing twice', async () => {
      const past = memoryPast(DECISIONS, 50);
      let pages = 0;
      let time = START;
      // Every page is kept: the clock runs fast.
      const now = () => time;
      const clock = (over: Past) => {
        const page: Past['page'] = (...given) => {
          time += 5000;
          return over.page(...given);
        };
        return { now, search: searchHere({ past: { page }, now, openReplay: async () => GOOD }) };
      };
      // The first gateway stops itself in the middle.
      const dying: Past['page'] = async (scope, cursor, signal) => {
        if (++pages === 8) void first.close();
        if (signal.aborted) throw new GlacisError('run/cancelled', 'stopped');
        return past.page(scope, cursor, signal);
      };
      const first: Impacts = opened(past, clock({ ...past, page: dying }));
      const { id } = await first.start({ scope: { version: 'bad' }, against: 'good' }, 'ann');
      await first.idle();
      expect(await first.find(id)).toMatchObject({ state: 'running', looked: 175 });
      const before = past.read;
      const second = opened(past, { ...clock(past), freshId: countingIds('d') });
      await second.resume();
      await second.idle();
      expect(await second.find(id)).toMatchObject({
        state: 'done',
        looked: 500,
        affected: 500,
        different: 80,
      });
      expect(past.read - before).toBeLessThan(14);
      expect(await walk(second, id)).toHaveLength(500);
      const stranger = opened(past, { log: 'elsewhere', freshId: countingIds('e') });
      await stranger.resume();
    });

    it('can be cancelled, and says why it failed', async () => {
      let reached = 0;
      const desk = opened({
        ...memoryPast(DECISIONS, 10),
        page: async (_scope, cursor, signal) => {
          if (cursor === 0) return { decisions: [], looked: 0, cursor: 10, of: 1000, isEnd: false };
          if (signal.aborted) throw new GlacisError('run/cancelled', 'impact: cancelled');
          reached = cursor;
          await new Promise(setImmediate);
          return { decisions: [], looked: 0, cursor: cursor + 1, of: 1e9, isEnd: false };
        },
      });
      const { id } = await desk.start({ scope: { model: 'x' } }, 'ann');
      await until(() => reached > 10);
      await desk.cancel(id);
      await desk.idle();
      expect(await desk.find(id)).toMatchObject({
        state: 'failed',
        because: expect.stringMatching(/cancelled/),
      });
      const failing = opened(memoryPast(DECISIONS), {
        freshId: countingIds('d'),
        openReplay: async () => {
          throw new GlacisError('option/invalid', 'no such version');
        },
      });
      const done = await finished(failing, { scope: { model: 'signs' }, against: 'nothing' });
      expect(done).toMatchObject({ state: 'failed', because: 'no such version' });
    });

    it('refuses a search for nothing, of data without provenance, and too many at once', async () => {
      const desk = opened();
      await expect(desk.start({ scope: {} }, 'ann')).rejects.toMatchObject({ code: 'option/invalid' });
      await expect(desk.start({ scope: { data: 'x' } }, 'ann')).rejects.toMatchObject({
        code: 'option/invalid',
      });
      const all = Array.from({ length: 40 }, () => desk.start({ scope: { model: 'm' } }, 'ann'));
      const refused = (await Promise.allSettled(all)).filter(({ status }) => status === 'rejected');
      expect(refused.length).toBeGreaterThanOrEqual(1);
      expect(await desk.rows("x' or 1=1", {})).toEqual({ rows: [] });
      expect(await desk.find('../../etc')).toBeUndefined();
    });
  });
});
