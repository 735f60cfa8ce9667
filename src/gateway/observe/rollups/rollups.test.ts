import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ENGINES, type Places, placesOf } from '../../../../test/servers/store-places.ts';
import { openStore, type Store, sweepStore } from '../../../store/index.ts';
import { retentionSchema } from '../../../store/retention.ts';
import type { Decision } from '../../decision.ts';
import { clientCounter } from './client-counter.ts';
import {
  countAddresses,
  countDistinct,
  newAddresses,
  newDistinct,
  seeAddress,
  seeHash,
  textHash,
} from './distinct.ts';
import { countLatency, newHistogram, quantile } from './histogram.ts';
import { openRollups } from './open-rollups.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const START = 1_700_006_400_000 - (1_700_006_400_000 % DAY);

const decision = (over: Partial<Decision> = {}): Decision => ({
  kind: 'decision',
  id: 'a'.repeat(32),
  at: START,
  principal: 'ann',
  tenant: 'acme',
  credential: 'k1',
  address: '192.0.2.7',
  model: 'm',
  version: '1',
  digest: 'sha256:00',
  n: 1,
  outcome: 'answered',
  detail: 'scores',
  guards: [],
  bucket: 5,
  ...over,
});

async function opened(store?: Store) {
  const given = store ?? (await storeInFile());
  let time = START;
  const failures: unknown[] = [];
  const rollups = openRollups({
    store: given,
    secret: new Uint8Array(32),
    now: () => time,
    failed: (_, thrown) => failures.push(thrown),
    budgetShare: () => 0.25,
  });
  onTestFinished(() => rollups.close());
  return {
    store: given,
    rollups,
    failures,
    set time(to: number) {
      time = to;
    },
    get time() {
      return time;
    },
    call(over: Partial<Decision> = {}, milliseconds = 4) {
      rollups.decided(decision({ at: time, ...over }), milliseconds);
    },
  };
}

async function storeInFile(): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-rollups-'));
  const store = await openStore({ kind: 'sqlite', file: join(folder, 'glacis.db') });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return store;
}

describe('sums of traffic', () => {
  it('tell what came in each minute, of a model and of all, with refusals by name and latencies', async () => {
    const world = await opened();
    world.rollups.stage('run', 3);
    for (let i = 0; i < 99; i++) world.call({ n: 2 }, 4);
    world.call({ guards: [{ guard: 'g', action: 'flag', score: 1 }] }, 400);
    world.time += MINUTE;
    world.call({ outcome: 'throttled' });
    world.call({ outcome: 'unknown', model: 'invented', digest: undefined });
    await world.rollups.flush();
    const all = await world.rollups.traffic.traffic({ from: START, to: START + 2 * MINUTE });
    expect(all.step).toBe(MINUTE);
    expect(all.points).toMatchObject([
      { at: START, answered: 100, refused: {}, samples: 199 },
      { at: START + MINUTE, answered: 0, refused: { throttled: 1, unknown: 1 }, samples: 0 },
      { answered: 0, p50: undefined },
    ]);
    expect(Math.abs(all.points[0]!.p50! - 4)).toBeLessThan(0.3);
    expect(Math.abs(all.points[0]!.p99! - 4)).toBeLessThan(0.3);
    expect(all.stages).toMatchObject([{ stage: 'run', mean: 3 }]);
    expect(all.guards).toEqual([{ guard: 'g', model: 'm', pass: 0, flag: 1, degrade: 0, refuse: 0 }]);
    const own = await world.rollups.traffic.traffic({ model: 'm', from: START, to: START + 2 * MINUTE });
    expect(own.points[1]).toMatchObject({ refused: { throttled: 1 } });
    expect(
      (await world.rollups.traffic.traffic({ model: 'invented', from: START, to: START })).points,
    ).toMatchObject([{ refused: {} }]);
  });

  it('have at most 300 steps, whatever the span, and lose nothing in coarser ones', async () => {
    const world = await opened();
    for (let i = 0; i < 50; i++) {
      world.time = START + i * 7 * HOUR;
      world.call();
    }
    await world.rollups.flush();
    for (const length of [HOUR, 10 * HOUR, 100 * HOUR, 20 * DAY, 400 * DAY, 4000 * DAY]) {
      const from = START - length + 400 * HOUR;
      const { points } = await world.rollups.traffic.traffic({ from, to: START + 400 * HOUR });
      expect(points.length).toBeLessThanOrEqual(300);
      if (length < 400 * HOUR) continue;
      expect(points.reduce((sum, { answered }) => sum + answered, 0)).toBe(50);
    }
  });

  it('add up over gateways and restarts, and are not doubled by writing twice', async () => {
    const store = await storeInFile();
    const [a, b] = [await opened(store), await opened(store)];
    for (const each of [a, b]) {
      each.call();
      await each.rollups.flush();
      each.call({ principal: 'bea' });
      await each.rollups.flush();
      await each.rollups.flush();
      await each.rollups.close();
    }
    const again = await opened(store);
    again.call();
    await again.rollups.flush();
    const { hour } = await again.rollups.traffic.overview(START + 1000);
    expect(hour).toEqual({ requests: 5, samples: 5, answered: 5, refused: 0, clients: 2, flagged: 0 });
    expect(await again.rollups.clients.client('ann')).toMatchObject({ requests: 3, addresses: 1 });
  });

  it('of the overview: the last hour, the one before, a day in ten minutes, and what each model does now', async () => {
    const world = await opened();
    const now = START + 10 * HOUR + 30_000;
    for (const [ago, principal] of [
      [90, 'ann'],
      [59, 'ann'],
      [1, 'bea'],
      [0, 'cy'],
    ] as const) {
      world.time = now - ago * MINUTE;
      world.call({ principal });
    }
    await world.rollups.flush();
    const { hour, before, day, models } = await world.rollups.traffic.overview(now);
    expect([before.requests, hour.requests, hour.clients]).toEqual([1, 3, 3]);
    expect(day).toHaveLength(144);
    expect(day.reduce((sum, [, answered]) => sum + answered, 0)).toBe(4);
    expect(models.get('m')!.perSecond).toBeCloseTo(2 / 90);
  });

  it('give each second by itself, and then a quiet one', async () => {
    const world = await opened();
    world.call({}, 8);
    world.call({ outcome: 'throttled' }, 1);
    const heard = await new Promise<ReturnType<typeof world.rollups.live>>((done) =>
      world.rollups.onSecond(done),
    );
    expect(heard).toMatchObject({ answered: 1, refused: 1, flagged: 0, models: { m: 2 } });
    expect(world.rollups.live()).toEqual(heard);
  });

  it('make no rows of names that callers invent, and few of models', async () => {
    const world = await opened();
    for (let i = 0; i < 300; i++) world.call({ model: `m${i}` });
    for (let i = 0; i < 300; i++) world.call({ model: `x${i}`, digest: undefined, outcome: 'unknown' });
    await world.rollups.flush();
    const rows = await world.store.db.selectFrom('traffic').select('model').distinct().execute();
    expect(rows).toHaveLength(202);
    const { points } = await world.rollups.traffic.traffic({ model: 'others', from: START, to: START });
    expect(points[0]!.answered).toBe(100);
  });

  it('are kept while the store is gone, and written when it is back', async () => {
    const store = await storeInFile();
    let gone = true;
    const broken: Store = {
      ...store,
      each: (queries) => (gone ? Promise.reject(new Error('gone')) : store.each(queries)),
    };
    const world = await opened(broken);
    world.call();
    await world.rollups.flush();
    world.time += HOUR;
    world.call();
    await world.rollups.flush();
    expect(world.failures).toHaveLength(2);
    gone = false;
    await world.rollups.flush();
    const { points } = await world.rollups.traffic.traffic({ from: START, to: START + HOUR });
    expect(points.reduce((sum, { answered }) => sum + answered, 0)).toBe(2);
    expect(await world.rollups.clients.client('ann')).toMatchObject({ requests: 2 });
  });

  it('are swept, the finer ones first', async () => {
    const world = await opened();
    world.call();
    await world.rollups.flush();
    const spans = async () =>
      (
        await world.store.db
          .selectFrom('traffic')
          .select('span')
          .where('model', '=', '')
          .orderBy('span')
          .execute()
      ).map(({ span }) => span);
    const keep = retentionSchema.parse({});
    await sweepStore(world.store, keep, { now: START + 10 * HOUR });
    expect(await spans()).toEqual([10 * MINUTE, HOUR, DAY]);
    await sweepStore(world.store, keep, { now: START + 5 * DAY });
    expect(await spans()).toEqual([HOUR, DAY]);
    await sweepStore(world.store, keep, { now: START + 61 * DAY });
    expect(await spans()).toEqual([DAY]);
    await sweepStore(world.store, keep, { now: START + 401 * DAY });
    expect(await spans()).toEqual([]);
    expect(await world.rollups.clients.client('ann')).toBeUndefined();
  });
});

describe('sums of clients', () => {
  it('come in pages by what is asked for, each client once', async () => {
    const world = await opened();
    for (let i = 0; i < 25; i++)
      for (let times = 0; times <= i % 7; times++)
        world.call({
          principal: `p${String(i).padStart(2, '0')}`,
          outcome: i % 2 === 0 ? 'answered' : 'throttled',
        });
    await world.rollups.flush();
    for (const sort of ['requests', 'refused', 'flagged', 'budget'] as const) {
      const seen: string[] = [];
      let last = Number.POSITIVE_INFINITY;
      let before: string | undefined;
      do {
        const page = await world.rollups.clients.page({ sort, most: 4, before });
        for (const row of page.rows) {
          if (sort !== 'budget') expect(row[sort]).toBeLessThanOrEqual(last);
          if (sort !== 'budget') last = row[sort];
          seen.push(row.principal);
        }
        before = page.next;
      } while (before !== undefined);
      expect(new Set(seen).size).toBe(25);
      expect(seen).toHaveLength(25);
    }
  });

  it('are found by a part of a name, whatever is in it', async () => {
    const world = await opened();
    for (const principal of ['alpha', 'ALPine', 'beta', '100%', 'a_b', "x'; drop table clients; --"])
      world.call({ principal });
    await world.rollups.flush();
    const found = async (find: string) =>
      (await world.rollups.clients.page({ find })).rows.map(({ principal }) => principal).sort();
    expect(await found('alp')).toEqual(['ALPine', 'alpha']);
    expect(await found('%')).toEqual(['100%']);
    expect(await found('_')).toEqual(['a_b']);
    expect(await found("'; drop")).toEqual(["x'; drop table clients; --"]);
    expect(await found('ACME')).toHaveLength(6);
  });

  it('are of one model where one is asked for, with days and the models of each', async () => {
    const world = await opened();
    world.call({ n: 10 });
    world.call({ model: 'other' });
    world.time += DAY;
    world.call({ n: 4, address: '192.0.2.8' });
    await world.rollups.flush();
    const { clients } = world.rollups;
    expect((await clients.page({ model: 'm' })).rows).toMatchObject([{ requests: 2, samples: 14 }]);
    expect(await clients.client('ann')).toMatchObject({
      requests: 3,
      first: START,
      last: START + DAY,
      addresses: 2,
    });
    expect(await clients.days('ann')).toEqual([
      [START, 11, 0],
      [START + DAY, 4, 0],
    ]);
    expect((await clients.models(['ann'])).get('ann')!.toSorted()).toEqual(['m', 'other']);
    expect((await clients.lastDay(['ann'], START + DAY + 6 * HOUR)).get('ann')).toBeCloseTo(4 + 11 * 0.75);
  });

  it('are forgotten with the person', async () => {
    const world = await opened();
    world.call();
    await world.rollups.forget('ann');
    expect(await world.rollups.clients.client('ann')).toBeUndefined();
    expect(await world.rollups.clients.days('ann')).toEqual([]);
  });

  it.each(['x', '', 'W10', 'WzEsMl0'])('refuse a page %o that none gave', async (before) => {
    const world = await opened();
    await expect(world.rollups.clients.page({ before })).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('beyond what memory holds are counted together, and no call is lost', () => {
    const counter = clientCounter(1);
    for (let i = 0; i < 25_000; i++) counter.decided(decision({ principal: `p${i}` }));
    const taken = counter.take();
    expect(taken).toHaveLength(20_001);
    expect(taken.reduce((sum, { requests }) => sum + requests, 0)).toBe(25_000);
    counter.putBack(taken);
    expect(counter.take().reduce((sum, { requests }) => sum + requests, 0)).toBe(25_000);
  });
});

describe.each(ENGINES)('sums on $engine', ({ engine, missing }) => {
  describe.skipIf(missing !== '')(missing || 'works', () => {
    let places: Places;
    beforeAll(async () => {
      places = await placesOf(engine);
    });
    afterAll(() => places.end());

    it('are written, added up and paged alike', async () => {
      const store = await openStore(await places.next());
      onTestFinished(() => store.close());
      const world = await opened(store);
      for (const principal of ['ann', 'bea', 'bea', 'c\0y']) world.call({ principal });
      await world.rollups.flush();
      world.call({ principal: 'bea', address: '192.0.2.9' });
      await world.rollups.flush();
      expect(world.failures).toEqual([]);
      const first = await world.rollups.clients.page({ most: 1 });
      expect(first.rows).toMatchObject([{ principal: 'bea', requests: 3, addresses: 2 }]);
      const rest = await world.rollups.clients.page({ most: 5, before: first.next });
      expect(rest.rows.map(({ principal }) => principal)).toEqual(['c\ufffdy', 'ann']);
      expect((await world.rollups.clients.page({ find: 'AN' })).rows).toHaveLength(1);
      expect((await world.rollups.clients.page({ find: 'zz' })).rows).toEqual([]);
      expect((await world.rollups.traffic.traffic({ from: START, to: START })).points[0]!.answered).toBe(5);
    });
  });
});

describe('sketches', () => {
  it('tell latencies within five percent', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.02, max: 1e6, noNaN: true }), (milliseconds) => {
        const histogram = newHistogram();
        countLatency(histogram, milliseconds);
        expect(Math.abs(quantile(histogram, 0.5)! / milliseconds - 1)).toBeLessThan(0.05);
      }),
    );
    expect(quantile(newHistogram(), 0.5)).toBeUndefined();
  });

  it('take whatever a clock gives', () => {
    const histogram = newHistogram();
    for (const odd of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300]) countLatency(histogram, odd);
    expect(histogram.reduce((sum, count) => sum + count, 0)).toBe(5);
  });

  it.each([1, 10, 50, 1000, 20_000])('count %i different clients within ten percent', (n) => {
    const distinct = newDistinct();
    for (let i = 0; i < n; i++)
      for (let twice = 0; twice < 2; twice++) seeHash(distinct, textHash(`client ${i}`, 5));
    expect(Math.abs(countDistinct(distinct) / n - 1)).toBeLessThan(0.1);
  });

  it.each([1, 3, 20, 150])('count %i addresses within a fifth', (n) => {
    const sketch = newAddresses();
    for (let i = 0; i < n; i++) seeAddress(sketch, textHash(`192.0.2.${i}`, 9));
    expect(Math.abs(countAddresses(sketch) / n - 1)).toBeLessThan(0.2);
  });
});
