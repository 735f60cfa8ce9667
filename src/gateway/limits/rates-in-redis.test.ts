import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NO_REDIS, type RedisServer, startRedis } from '../../../test/servers/redis.ts';
import { startWire, type Wire } from '../../../test/servers/wire.ts';
import { Refused } from '../refusal.ts';
import { type OpenRates, openRates } from './open-rates.ts';
import { principalFixture, ratesFixture } from './rates.fixture.ts';

const alice = { principal: principalFixture('alice'), address: '192.0.2.1' };

describe.skipIf(NO_REDIS)(`limits shared in Redis (${NO_REDIS ?? 'a server of its own'})`, () => {
  let server: RedisServer;
  let wire: Wire;
  const open: OpenRates[] = [];
  let prefix = 0;
  beforeAll(async () => {
    server = await startRedis();
    wire = await startWire(server.socket);
  });
  afterEach(async () => {
    for (const rates of open.splice(0)) await rates.close();
    Object.assign(wire, { delay: 0, isDead: false, isShut: false });
  });
  afterAll(async () => {
    await wire?.close();
    await server?.stop();
  });

  /** Gateways that share limits. */
  async function gateways(
    count: number,
    limits: readonly object[],
    rest: object = {},
    place: { readonly url?: string; readonly timeout?: string } = {},
  ) {
    const redis = { url: server.url, timeout: '20 seconds', prefix: `t${prefix++}`, ...place };
    const rates = Array.from({ length: count }, () => openRates(ratesFixture(limits, { redis, ...rest })));
    open.push(...rates);
    await Promise.all(rates.map((each) => connected(each)));
    return rates;
  }
  /** Asks as somebody whom no test counts until there is an answer. */
  async function connected(rates: OpenRates): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await rates.take({ principal: principalFixture('probe', { tenant: 'probe' }), address: '::1' }, 1);
        return;
      } catch (thrown) {
        if (tries > 200) throw thrown;
        await sleep(25);
      }
    }
  }

  it('let the same number through whichever gateway is asked, a thousand at once', async () => {
    const rates = await gateways(3, [{ per: 'principal', requests: 50, every: 'hour' }]);
    const waits = await Promise.all(Array.from({ length: 1000 }, (_, i) => rates[i % 3]!.take(alice, 1)));
    expect(waits.filter((wait) => wait === undefined)).toHaveLength(50);
    expect(Math.max(...waits.filter((wait) => wait !== undefined))).toBeLessThanOrEqual(72);
  });

  it('take nothing from one limit where another refuses', async () => {
    const [rates] = await gateways(1, [
      { per: 'tenant', requests: 2, every: 'hour' },
      { per: 'principal', requests: 1, every: 'hour' },
    ]);
    expect(await rates!.take(alice, 1)).toBeUndefined();
    for (let i = 0; i < 5; i++) expect(await rates!.take(alice, 1)).toBeGreaterThan(0);
    expect(await rates!.take({ ...alice, principal: principalFixture('bob') }, 1)).toBeUndefined();
  });

  it('let through again what they say, by the clock of Redis', async () => {
    const [rates] = await gateways(1, [{ per: 'principal', samples: 20, every: 'second' }]);
    expect(await rates!.take(alice, 20)).toBeUndefined();
    while ((await rates!.take(alice, 5)) !== undefined) await sleep(20);
    await expect(rates!.take(alice, 21)).rejects.toMatchObject({ refusal: 'too-large' });
  });

  it('refuse while it is killed, and go on by themselves once it is back', async () => {
    const [rates] = await gateways(1, [{ per: 'principal', requests: 1000, every: 'hour' }]);
    expect(await rates!.take(alice, 1)).toBeUndefined();
    await server.kill();
    await expect(rates!.take(alice, 1)).rejects.toMatchObject({ refusal: 'unavailable', retryAfter: 1 });
    await expect(rates!.take(alice, 1)).rejects.toBeInstanceOf(Refused);
    await server.restart();
    await connected(rates!);
    expect(await rates!.take(alice, 1)).toBeUndefined();
  });

  it('refuse while it hangs, soon without waiting for it', async () => {
    const [rates] = await gateways(
      1,
      [{ per: 'principal', requests: 1000, every: 'hour' }],
      {},
      { timeout: '200 ms' },
    );
    server.pause();
    try {
      const refused: unknown[] = [];
      for (let i = 0; i < 100; i++)
        refused.push(await Promise.resolve(rates!.take(alice, 1)).catch((thrown) => thrown));
      expect(refused.every((thrown) => thrown instanceof Refused && thrown.refusal === 'unavailable')).toBe(
        true,
      );
      const atOnce = refused.filter((thrown) =>
        (thrown as Refused).because.includes('to the last questions'),
      );
      expect(atOnce.length).toBeGreaterThan(80);
    } finally {
      server.resume();
    }
    await connected(rates!);
  });

  it.each([
    ['cut', () => wire.cut()],
    ['unplugged', () => Object.assign(wire, { isDead: true })],
    ['slow', () => Object.assign(wire, { delay: 400 })],
    [
      'shut',
      () => {
        wire.isShut = true;
        wire.cut();
      },
    ],
  ])('give no wrong answer over a line that is %s, and come back', async (_, harm) => {
    const url = `redis://127.0.0.1:${wire.port}`;
    const [rates] = await gateways(
      1,
      [{ per: 'principal', requests: 40, every: 'hour' }],
      {},
      { url, timeout: '250 ms' },
    );
    let passed = 0;
    const ask = async () => {
      try {
        if ((await rates!.take(alice, 1)) === undefined) passed++;
      } catch (thrown) {
        expect(thrown).toMatchObject({ refusal: 'unavailable' });
      }
    };
    await Promise.all(Array.from({ length: 10 }, ask));
    const under = Array.from({ length: 10 }, ask);
    harm();
    await Promise.all([...under, ...Array.from({ length: 10 }, ask)]);
    Object.assign(wire, { delay: 0, isDead: false, isShut: false });
    // Connections that are still open and lost what was under way are given up without help.
    await connected(rates!);
    await Promise.all(Array.from({ length: 60 }, ask));
    expect(passed).toBeGreaterThan(0);
    expect(passed).toBeLessThanOrEqual(40);
  });

  it('count alone meanwhile, where the policy says so', async () => {
    const [rates] = await gateways(1, [{ per: 'principal', requests: 5, every: 'hour' }], {
      storeGone: 'alone',
    });
    await server.kill();
    const waits: unknown[] = [];
    for (let i = 0; i < 8; i++) waits.push(await rates!.take(alice, 1));
    expect(waits.filter((wait) => wait === undefined)).toHaveLength(5);
    await server.restart();
  });
});

describe('the address of Redis', () => {
  it.each([
    ['redis://redis.example:6379', {}],
    ['redis://:secret@127.0.0.1', { passwordFile: '/nowhere' }],
    ['redis://127.0.0.1/x', {}],
    ['redis://127.0.0.1?db=2', {}],
    ['redis://127.0.0.1', { passwordFile: '/nowhere/at/all' }],
  ])('%s with %j is refused', (url, rest) => {
    expect(() => openRates(ratesFixture([], { redis: { url, ...rest } }))).toThrow(
      expect.objectContaining({ code: 'option/invalid' }),
    );
  });
});
