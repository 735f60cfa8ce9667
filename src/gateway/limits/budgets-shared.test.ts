import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts';
import { startWire, type Wire } from '../../../test/servers/wire.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { BudgetStep } from '../limits.ts';
import { Refused } from '../refusal.ts';
import { budgetsFixture } from './budgets.fixture.ts';
import { type OpenBudgets, openBudgets } from './open-budgets.ts';
import { principalFixture } from './rates.fixture.ts';

const alice = principalFixture('alice');
const DAY = 86_400_000;

describe.skipIf(NO_POSTGRES)(NO_POSTGRES ?? 'budgets that several gateways share in PostgreSQL', () => {
  let server: PostgresServer;
  let wire: Wire;
  let url: string;
  const ends: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    server = await startPostgres();
    wire = await startWire(server.socket);
  });
  beforeEach(async () => {
    const database = new URL(await server.createDatabase()).pathname;
    url = `postgres://glacis@127.0.0.1:${wire.port}${database}`;
  });
  afterEach(async () => {
    server.resume();
    Object.assign(wire, { delay: 0, isDead: false, isShut: false });
    for (const end of ends.splice(0).reverse()) await end().catch(() => {});
  });
  afterAll(async () => {
    await wire?.close();
    await server?.stop();
  });

  /** A gateway with a pool of its own, and with a machine's count of time of its own. */
  async function gateway(
    config: object,
    queryTimeout = 60_000,
  ): Promise<{ budgets: OpenBudgets; store: Store; clock: { monotonic: number; wall: number } }> {
    const store = await openStore({ kind: 'postgres', url, queryTimeout, connectTimeout: queryTimeout });
    ends.push(() => store.close());
    const clock = { monotonic: Math.floor(Math.random() * 1e9), wall: Date.now() };
    const budgets = await openBudgets(budgetsFixture(1000, { timeout: '1 minute', ...config }), {
      store,
      monotonic: () => clock.monotonic,
      now: () => clock.wall,
    });
    ends.push(() => budgets.close());
    return { budgets, store, clock };
  }
  const isGiven = (step: BudgetStep | Refused) => typeof step === 'string' && step !== 'refuse';
  const ask = async (budgets: OpenBudgets, n = 1): Promise<BudgetStep | Refused> => {
    try {
      return await budgets.take(alice, 'm', n);
    } catch (thrown) {
      if (thrown instanceof Refused) return thrown;
      throw thrown;
    }
  };

  it('are not overspent by a thousand requests at once over four gateways, and held back at most by their leases (abuse group 22)', async () => {
    const lease = 10;
    const gateways = await Promise.all(
      Array.from({ length: 4 }, () => gateway({ limits: [{ per: 'principal', queries: 500 }], lease })),
    );
    const steps = await Promise.all(Array.from({ length: 1000 }, (_, i) => ask(gateways[i % 4]!.budgets)));
    const given = steps.filter(isGiven).length;
    expect(given).toBeLessThanOrEqual(500);
    expect(given).toBeGreaterThanOrEqual(500 - 4 * lease);
    // What was held and not used goes back when the gateways stop.
    for (const { budgets } of gateways) await budgets.close();
    const { budgets } = await gateway({ limits: [{ per: 'principal', queries: 500 }], lease });
    expect((await budgets.state('alice', 'm')).used).toBe(given);
    let rest = 0;
    while (isGiven(await ask(budgets))) rest++;
    expect(given + rest).toBe(500);
  });

  it('count batches of many sizes from many principals of a tenant exactly', async () => {
    const config = {
      limits: [
        { per: 'principal', queries: 300 },
        { per: 'tenant', queries: 700 },
      ],
      lease: 4,
    };
    const gateways = await Promise.all(Array.from({ length: 3 }, () => gateway(config)));
    const calls = Array.from({ length: 240 }, (_, i) => ({
      who: principalFixture(`p${i % 5}`),
      n: 1 + ((i * 7) % 11),
      at: i % 3,
    }));
    const steps = await Promise.all(
      calls.map(async ({ who, n, at }) => gateways[at]!.budgets.take(who, 'm', n)),
    );
    const given = (who?: string) =>
      calls.reduce(
        (sum, call, i) => sum + (steps[i] !== 'refuse' && (who ?? call.who.id) === call.who.id ? call.n : 0),
        0,
      );
    expect(given()).toBeLessThanOrEqual(700);
    for (let i = 0; i < 5; i++) expect(given(`p${i}`)).toBeLessThanOrEqual(300);
    for (const { budgets } of gateways) await budgets.close();
    const { budgets } = await gateway(config);
    const uses = await budgets.uses({ id: 'p0', tenant: 'acme' }, 'm');
    expect(uses.map(({ used }) => used)).toEqual([given('p0'), given()]);
  });

  it('go by a time that no gateway can set, and that passes once however many count it', async () => {
    const config = { limits: [{ per: 'principal', queries: 10 }] };
    const [one, two] = [await gateway(config), await gateway(config)];
    while (isGiven(await ask(one.budgets)));
    one.clock.wall += 400 * DAY;
    two.clock.wall -= 400 * DAY;
    // Each has run for 20 days: that is 20 days, not 40.
    for (const { clock } of [one, two]) clock.monotonic += 20 * DAY;
    for (const { budgets } of [one, two]) expect(await ask(budgets)).toBe('refuse');
    const three = await gateway(config);
    expect(await ask(three.budgets)).toBe('refuse');
    for (const { clock } of [one, two, three]) clock.monotonic += 10 * DAY;
    expect(isGiven(await ask(two.budgets))).toBe(true);
  });

  it.each([
    ['killed', async () => server.kill(), async () => server.restart()],
    ['hanging', async () => server.pause(), async () => server.resume()],
    ['cut off', async () => wire.cut(), async () => {}],
    ['unplugged', async () => Object.assign(wire, { isDead: true }), async () => {}],
    ['slow', async () => Object.assign(wire, { delay: 1500 }), async () => {}],
  ])(
    'are not overspent when it is %s in the middle; calls are refused, and then go on',
    async (_, harm, mend) => {
      const lease = 5;
      const config = { limits: [{ per: 'principal', queries: 400 }], lease: 400, timeout: '1 second' };
      const setUp = await gateway(config);
      await setUp.budgets.close();
      const gateways = [await gateway({ ...config, lease }, 700), await gateway({ ...config, lease }, 700)];
      let given = 0;
      let refused = 0;
      const storm = async (budgets: OpenBudgets, count: number) => {
        for (let i = 0; i < count; i++) {
          const step = await ask(budgets);
          if (isGiven(step)) given++;
          else if (step instanceof Refused) {
            expect(step.refusal).toBe('unavailable');
            refused++;
          }
        }
      };
      const storms = gateways.map(({ budgets }) => storm(budgets, 120));
      while (given + refused < 60) await sleep(1);
      await harm();
      await Promise.all(storms);
      expect(refused).toBeGreaterThan(0);
      const before = given;
      await mend();
      Object.assign(wire, { delay: 0, isDead: false, isShut: false });
      // It comes back by itself, once the pause after a failure is over.
      for (let tries = 0; given === before && tries < 400; tries++) {
        for (const { clock } of gateways) clock.monotonic += 100;
        await Promise.all(gateways.map(({ budgets }) => storm(budgets, 1)));
        await sleep(20);
      }
      expect(given).toBeGreaterThan(before);
      for (const { clock } of gateways) clock.monotonic += 5000;
      await Promise.all(gateways.map(({ budgets }) => storm(budgets, 500)));
      expect(given).toBeLessThanOrEqual(400);
    },
  );
});
