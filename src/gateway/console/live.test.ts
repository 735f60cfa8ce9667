import { get, type IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { until } from '../../../test/until.ts';
import type { LiveEvent } from './api.ts';
import { type Browser, type ConsoleSide, consoleSide, send } from './console.fixture.ts';
import { type Follower, LIVE_RIGHTS, type Live, openLive, type Sight, sightOf } from './live.ts';

const ALL = sightOf(() => true);
const policy: LiveEvent = { kind: 'policy' };
const decision = (id: string): LiveEvent =>
  ({
    kind: 'decision',
    row: {
      id,
      entry: 1,
      at: 0,
      principal: id,
      tenant: 't',
      model: 'm',
      version: '1',
      n: 1,
      outcome: 'answered',
    },
  }) as LiveEvent;
const someone: Follower = { session: 's', principal: 'ann', address: '::1' };

describe('the hub', () => {
  let live: Live<Follower>;
  let sights: Map<string | undefined, Sight | undefined>;
  const failures: unknown[] = [];
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate'],
    });
    sights = new Map();
    failures.length = 0;
    live = openLive<Follower>({
      most: () => 3,
      mostEach: () => 2,
      standing: async (followers) =>
        followers.map(({ session }) => (sights.has(session) ? sights.get(session) : ALL)),
      failed: (_, thrown) => failures.push(thrown),
    });
  });
  afterEach(() => {
    live.close();
    vi.useRealTimers();
  });
  /** What a stream was given so far. */
  const read = (stream: ReturnType<typeof live.follow>): string => {
    let text = '';
    for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) text += String(chunk);
    return text;
  };

  it('shows each what they may see', () => {
    const of = (...rights: string[]) =>
      live.follow(
        { ...someone, principal: rights.join() },
        sightOf((action) => rights.includes(action)),
      );
    const [auditor, operator] = [of('log.read'), of('policy.read')];
    live.publish(decision('d1'));
    live.publish(policy);
    vi.advanceTimersByTime(200);
    expect(read(auditor)).toMatch(/^retry: 2000\n\ndata: \{"kind":"decision".*\n\n$/);
    expect(read(operator)).toBe('retry: 2000\n\ndata: {"kind":"policy"}\n\n');
    expect(LIVE_RIGHTS.length).toBeLessThan(31);
  });

  it('does nothing where nobody follows, or nobody may see', () => {
    expect(live.wants('policy')).toBe(false);
    live.publish(policy);
    const stream = live.follow(someone, 0);
    expect(live.wants('decision')).toBe(false);
    live.publish(decision('d'));
    expect(vi.getTimerCount()).toBe(1);
    expect(read(stream)).toBe('retry: 2000\n\n');
  });

  it('shows of many decisions a few, and every other event', () => {
    const stream = live.follow(someone, ALL);
    for (let i = 0; i < 1000; i++) live.publish(decision(`d${i}`));
    expect(live.wants('decision')).toBe(false);
    live.publish(policy);
    vi.advanceTimersByTime(200);
    const text = read(stream);
    expect(text.match(/"kind":"decision"/g)).toHaveLength(20);
    expect(text).toContain('"policy"');
    expect(live.wants('decision')).toBe(true);
  });

  it('cuts off who does not read, and keeps the others', async () => {
    const [slow, quick] = [live.follow(someone, ALL), live.follow(someone, ALL)];
    let got = 0;
    for (let i = 0; i < 60; i++) {
      live.publish({ kind: 'order', order: { id: 'x'.repeat(8000) } as never });
      vi.advanceTimersByTime(200);
      got += read(quick).length;
    }
    expect([slow.destroyed, quick.destroyed]).toEqual([true, false]);
    expect(got).toBeGreaterThan(60 * 8000);
    await new Promise(process.nextTick);
    expect(live.size).toBe(1);
  });

  it('lets no more follow than it says, in all and of one person', () => {
    live.follow(someone, ALL);
    live.follow(someone, ALL);
    expect(() => live.follow(someone, ALL)).toThrow(expect.objectContaining({ refusal: 'throttled' }));
    live.follow({ ...someone, principal: 'ben' }, ALL);
    expect(() => live.follow({ ...someone, principal: 'eve' }, ALL)).toThrow(
      expect.objectContaining({ refusal: 'throttled' }),
    );
  });

  it('ends with its session, at once or at the next look', async () => {
    const [one, other] = [live.follow(someone, ALL), live.follow({ ...someone, session: 'other' }, ALL)];
    live.end('s');
    expect(read(one)).toMatch(/"signed-out"/);
    sights.set('other', undefined);
    await vi.advanceTimersByTimeAsync(6000);
    expect(read(other)).toMatch(/"signed-out"/);
  });

  it('forgets at the next look what somebody may not see any more', async () => {
    const stream = live.follow(someone, ALL);
    sights.set('s', 0);
    await vi.advanceTimersByTimeAsync(6000);
    live.publish(policy);
    await vi.advanceTimersByTimeAsync(200);
    expect(read(stream)).not.toContain('policy');
  });

  it('cuts off everybody where it cannot be told whether they may still follow', async () => {
    live.close();
    live = openLive<Follower>({
      most: () => 9,
      mostEach: () => 9,
      standing: () => Promise.reject(new Error('store')),
      failed: (_, thrown) => failures.push(thrown),
    });
    const stream = live.follow(someone, ALL);
    await vi.advanceTimersByTimeAsync(6000);
    expect([stream.destroyed, failures.length > 0]).toEqual([true, true]);
  });

  it('gives signs of life', async () => {
    const stream = live.follow(someone, ALL);
    await vi.advanceTimersByTimeAsync(16_000);
    expect(read(stream)).toContain(':\n\n');
  });

  it('writes one event as one event, whatever strings are in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const hostile = `${text}\n\ndata: {"kind":"keys"}\r\revent: x\u2028`;
        const stream = live.follow(someone, ALL);
        live.publish(decision(hostile));
        vi.advanceTimersByTime(200);
        const lines = read(stream)
          .split(/\r\n|\r|\n/)
          .filter((line) => line !== '');
        stream.destroy();
        vi.runAllTicks();
        live.close();
        live = openLive<Follower>({
          most: () => 3,
          mostEach: () => 3,
          standing: async () => [],
          failed: () => {},
        });
        expect(lines).toHaveLength(2);
        const event = JSON.parse(lines[1]!.slice('data: '.length)) as { row: { id: string } };
        expect(event.row.id).toBe(hostile.toWellFormed() === hostile ? hostile : event.row.id);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the stream of events', () => {
  let side: ConsoleSide;
  beforeEach(async () => {
    side = await consoleSide({ console: { mostStreamsEach: 2 } });
  });
  afterEach(() => side.close());
  const signedIn = async (roles: readonly string[]): Promise<Browser> => {
    const browser = side.browser();
    await browser.signIn(await side.link((await side.key('ann', roles)).text));
    return browser;
  };
  const stream = (browser: Browser) =>
    new Promise<{ answer: IncomingMessage; said: (text: string) => Promise<string> }>((done, failed) => {
      const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const asked = get(
        `${side.address}/api/events`,
        { agent: false, headers: { cookie, accept: 'text/event-stream' } },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
          });
          done({
            answer,
            said: async (what) => {
              await until(() => text.includes(what) || answer.destroyed || answer.readableEnded);
              return text;
            },
          });
        },
      );
      asked.once('error', failed);
    });

  it('carries what happens, with the headers of every answer, until sign-out', async () => {
    const browser = await signedIn(['operator']);
    const { answer, said } = await stream(browser);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
    });
    await said('retry');
    side.console.publish(policy);
    expect(await said('policy')).toContain('data: {"kind":"policy"}\n\n');
    await browser.ask('/api/session/end', { method: 'POST', body: {} });
    expect(await said('signed-out')).toContain('signed-out');
    await until(() => answer.readableEnded);
  });

  it('is for who is signed in, and for so many pages', async () => {
    expect((await send(side.address, '/api/events', {})).status).toBe(401);
    const browser = await signedIn(['operator']);
    const open = [await stream(browser), await stream(browser)];
    const more = await stream(browser);
    expect([more.answer.statusCode, await more.said('error')]).toEqual([
      429,
      expect.stringContaining('error'),
    ]);
    expect((await browser.ask('/api/events', { method: 'HEAD' })).status).toBe(200);
    open[0]!.answer.destroy();
    await until(async () => (await stream(browser)).answer.statusCode === 200);
  });

  it('does not hold up the end of the server', async () => {
    const browser = await signedIn(['operator']);
    const { answer } = await stream(browser);
    answer.on('error', () => {});
    await side.management.close();
    await until(() => answer.destroyed || answer.readableEnded);
  });
});
