import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../../test/servers/postgres.ts';
import { NO_REDIS, type RedisServer, startRedis } from '../../test/servers/redis.ts';
import { startWire, type Wire } from '../../test/servers/wire.ts';
import { until } from '../../test/until.ts';
import {
  type TestProxy,
  type TestUpstream,
  testProxy,
  testUpstream,
} from './backend/upstream/upstream.fixture.ts';
import { ASKERS, type AskedLayout, askedLayout, REPLICAS, SPENDER } from './lost-servers.fixture.ts';

/** However long the machine stands still. */
const PATIENT = 240_000;
const [BUDGET, LEASE] = [150, 5];
const missing = NO_POSTGRES ?? NO_REDIS ?? '';

describe.skipIf(missing !== '')(
  `${missing || 'two gateways that are asked without pause'}, and a server they need goes away`,
  () => {
    let [postgres, redis, upstream]: [PostgresServer, RedisServer, TestUpstream] = [] as never;
    let [toPostgres, toRedis]: [Wire, Wire] = [] as never;
    let toUpstream: TestProxy;
    let layout: AskedLayout | undefined;
    beforeAll(async () => {
      [postgres, redis, upstream] = [await startPostgres(), await startRedis(), await testUpstream()];
      toUpstream = await testProxy(upstream.port);
    }, PATIENT);
    beforeEach(async () => {
      [toPostgres, toRedis] = [await startWire(postgres.socket), await startWire(redis.socket)];
    });
    afterEach(async () => {
      postgres.resume();
      redis.resume();
      toUpstream.mode = 'pass';
      await layout?.close();
      layout = undefined;
      await toPostgres.close();
      await toRedis.close();
    }, PATIENT);
    afterAll(async () => {
      await toUpstream?.stop();
      await upstream?.close();
      await redis?.stop();
      await postgres?.stop();
    });

    /** `timeout`: for PostgreSQL and Redis; long unless they hang, so that a machine that stands still is not taken for a server that is gone. */
    async function opened(
      sections: {
        readonly rates?: object;
        readonly budgets?: object;
        readonly timeout?: string;
        readonly upstream?: number;
      } = {},
    ) {
      const { timeout = '30 seconds' } = sections;
      const database = new URL(await postgres.createDatabase()).pathname;
      const place = `postgres://glacis@127.0.0.1:${toPostgres.port}${database}`;
      layout = await askedLayout({
        store: {
          kind: 'postgres',
          url: place,
          tls: 'off',
          queryTimeout: timeout,
          connectTimeout: timeout,
        },
        rates: {
          redis: { url: `redis://127.0.0.1:${toRedis.port}`, timeout, prefix: database.slice(1) },
          limits: [{ per: 'principal', requests: 1e9, every: 'second' }],
          ...sections.rates,
        },
        budgets: {
          limits: [
            { per: 'principal', who: [SPENDER], queries: BUDGET },
            { per: 'principal', queries: 1e9 },
          ],
          steps: {},
          lease: LEASE,
          timeout,
          ...sections.budgets,
        },
        models: {
          m: {
            upstream: {
              url: `http://127.0.0.1:${toUpstream.port}/v2/models/double`,
              digest: `sha256:${'0'.repeat(64)}`,
              timeoutMilliseconds: sections.upstream ?? 30_000,
              circuit: { failures: 3, pauseMilliseconds: 2000, longestMilliseconds: 2000 },
            },
            classifier: { gives: 'logits' },
          },
        },
      });
      return layout;
    }
    const given = (who: string, phase?: string): number =>
      layout!.asked.filter(
        (each) => each.principal === who && each.status === 200 && (phase ?? each.phase) === each.phase,
      ).length;
    const statuses = () => new Set(layout!.asked.map(({ status }) => status));

    /** Everybody had an answer that is right or a refusal, and each is in a log that verifies. Gives how many refusals had `reason`: all, but for what a standing machine made late. */
    async function reasonsInTheLog(reason: RegExp): Promise<number> {
      const reasons: string[] = [];
      const decisions = await layout!.finish();
      const outcome: Readonly<Record<string, string>> = { 200: 'answered', 503: 'unavailable', 504: 'late' };
      for (const { status, decision, right } of layout!.asked) {
        // Refusals by a limit may be gathered into one entry; see refusal-floods.test.ts.
        if (status === 429) continue;
        const logged = decisions.get(decision);
        expect([status, logged?.outcome]).toEqual([status, outcome[status]]);
        if (status === 200) expect(right).toBe(true);
        else reasons.push(logged!.because!);
      }
      // A machine that stands still makes others late, too.
      expect(
        reasons.filter(
          (because) => !reason.test(because) && !/not answer in time|timed out|Redis: /.test(because),
        ),
      ).toEqual([]);
      return reasons.filter((because) => reason.test(because)).length;
    }

    it.each([
      ['PostgreSQL', 'killed', '30 seconds', () => postgres.kill(), () => postgres.restart(), /^budgets: /],
      ['PostgreSQL', 'hanging', '1 second', () => postgres.pause(), () => postgres.resume(), /^budgets: /],
      ['Redis', 'killed', '30 seconds', () => redis.kill(), () => redis.restart(), /^rates: /],
      ['Redis', 'unplugged', '1 second', () => unplug(toRedis), () => mend(toRedis), /^rates: /],
    ])(
      '%s %s: all is refused until it is back, then they go on by themselves; nothing was overspent, nothing forgotten',
      async (_, __, timeout, harm, repair, reason) => {
        const asked = await opened({ timeout });
        await asked.all(200);
        await harm();
        asked.begin('gone');
        await asked.all(503);
        const held = given(SPENDER, 'gone');
        // What had been written down as used when it went away may still be given, and what was under way then.
        expect(held).toBeLessThanOrEqual(REPLICAS * LEASE + REPLICAS);
        await repair();
        asked.begin('back');
        await asked.all(200, ['ann', 'ben']);
        await asked.all(429, [SPENDER]);
        expect(given(SPENDER)).toBeLessThanOrEqual(BUDGET);
        const used = await asked.usedBy(SPENDER);
        expect(used).toBeGreaterThanOrEqual(given(SPENDER));
        expect(used).toBeLessThanOrEqual(BUDGET);
        expect(statuses()).toEqual(new Set([200, 429, 503]));
        expect(await reasonsInTheLog(reason)).toBeGreaterThan(0);
      },
      PATIENT,
    );

    it(
      'PostgreSQL killed where `storeGone: label` holds: labels alone, which are counted once it is back',
      async () => {
        const asked = await opened({
          budgets: { storeGone: 'label', limits: [{ per: 'principal', queries: 1e6 }] },
        });
        await asked.all(200);
        await postgres.kill();
        asked.begin('gone');
        const detailsOf = (phase: string) =>
          asked.asked.filter((each) => each.phase === phase).map(({ detail }) => detail);
        const newest = (phase: string) => [...new Set(detailsOf(phase).slice(-20))].join();
        await until(() => detailsOf('gone').length > 20 && newest('gone') === 'label');
        expect(new Set(detailsOf('start'))).toEqual(new Set(['scores']));
        await postgres.restart();
        asked.begin('back');
        await asked.all(200);
        // What was owed is written down as soon as it can be.
        for (const who of ASKERS) {
          let answered = 0;
          do answered = given(who);
          while ((await asked.usedBy(who)) < answered);
        }
        await until(() => newest('back') === 'scores');
        expect(statuses()).toEqual(new Set([200]));
        expect(await reasonsInTheLog(/^nothing was refused$/)).toBe(0);
      },
      PATIENT,
    );

    it(
      'Redis killed where `storeGone: alone` holds: each gateway counts for itself, and they count together again once it is back',
      async () => {
        const limit = 60;
        const limits = [{ per: 'principal', requests: limit, every: 'hour' }];
        const asked = await opened({ rates: { storeGone: 'alone', limits }, budgets: { limits: [] } });
        await asked.all(429);
        // One more in each minute, should the machine stand still.
        for (const who of ASKERS) expect(given(who)).toBeLessThan(limit + 10);
        await redis.kill();
        asked.begin('gone');
        await asked.all(429);
        for (const who of ASKERS) {
          expect(given(who, 'gone')).toBeGreaterThan(limit);
          expect(given(who, 'gone')).toBeLessThan(REPLICAS * (limit + 10));
        }
        await redis.restart();
        asked.begin('back');
        await asked.all(429);
        // It has lost its data: a full limit again, once, whoever is asked.
        for (const who of ASKERS) {
          expect(given(who, 'back')).toBeLessThan(limit + 10);
        }
        expect(statuses()).toEqual(new Set([200, 429]));
        expect(await reasonsInTheLog(/^nothing was refused$/)).toBe(0);
      },
      PATIENT,
    );

    it.each([
      ['stopped', () => toUpstream.stop(), () => toUpstream.start()],
      ['cut off', () => setMode('cut'), () => setMode('pass')],
      ['hanging', () => setMode('hole'), () => setMode('pass')],
    ])(
      'the model on another server %s: refused, soon without asking it, and found again by itself',
      async (_, harm, repair) => {
        const asked = await opened({ upstream: 500 });
        await asked.all(200, ['ann', 'ben']);
        await harm();
        asked.begin('gone');
        await asked.all(503, ['ann', 'ben']);
        asked.begin('left alone');
        const before = upstream.requests.length;
        const refused = (await asked.all(503, ['ann', 'ben'])).length;
        expect(upstream.requests.length - before).toBeLessThan(refused / 2);
        await repair();
        asked.begin('back');
        await asked.all(200, ['ann', 'ben']);
        expect(given(SPENDER)).toBeLessThanOrEqual(BUDGET);
        expect(await reasonsInTheLog(/upstream|connect|ECONN|socket|hang up|answer/)).toBeGreaterThan(0);
      },
      PATIENT,
    );

    function setMode(mode: TestProxy['mode']): void {
      toUpstream.mode = mode;
    }
  },
);

function unplug(wire: Wire): void {
  wire.isDead = true;
}
function mend(wire: Wire): void {
  Object.assign(wire, { isDead: false });
}
