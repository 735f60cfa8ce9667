import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/until.ts';
import { type AlertsSide, aCase, alarmIn, alertsSide, eventIn, HOOK, START } from './alerts.fixture.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let side: AlertsSide | undefined;
afterEach(async () => {
  await side?.close();
  side = undefined;
});
const opened = async (...given: Parameters<typeof alertsSide>): Promise<AlertsSide> => {
  side = await alertsSide(...given);
  return side;
};
const actions = ({ received }: AlertsSide) =>
  received.map(({ json }) => String(json.type).replace('glacis.case.', ''));
const measure = (about: string) => ({ kind: 'measure', order: 'o1', measure: 'throttle', about }) as const;

describe('an alert', () => {
  it('is sent at once, once, with what a person needs', async () => {
    const at = await opened();
    at.alerts.notify(alarmIn());
    await at.alerts.send();
    await at.pass(HOUR, 10 * MINUTE);
    expect(actions(at)).toEqual(['trigger']);
    expect(at.received[0]!.json.data).toMatchObject({
      case: { id: 'C-2026-0007', severity: 'high', principals: ['acme'] },
      alarm: { monitor: 'extraction', why: 'It asks what a copy needs.' },
      link: 'https://glacis.example.org/console/cases/C-2026-0007',
    });
    expect(await at.alerts.channels()).toEqual([
      {
        name: 'hook',
        kind: 'webhook',
        to: 'hooks.example.org',
        least: 'low',
        waiting: 0,
        sent: 1,
        givenUp: 0,
        lastSent: START,
      },
    ]);
  });

  it('is not lost while the receiver is down for an hour, nor when the process is killed in between', async () => {
    const at = await opened();
    let isDown = true;
    let tries = 0;
    at.answer = () => {
      tries++;
      if (isDown) throw new Error('connection refused');
      return { status: 200 };
    };
    for (let i = 0; i < 20; i++) at.alerts.notify(alarmIn(aCase({ id: `C-2026-00${10 + i}` })));
    await at.alerts.send();
    await at.pass(HOUR / 2, 5000);
    await at.again();
    await at.pass(HOUR / 2, 5000);
    expect(at.received).toEqual([]);
    // Somebody who is down is asked, not flooded.
    expect(tries).toBeLessThan(40);
    expect((await at.alerts.channels())[0]).toMatchObject({
      waiting: 20,
      sent: 0,
      because: expect.any(String),
    });
    expect(at.alerts.problem).toContain('hook');
    isDown = false;
    await at.pass(11 * MINUTE, 5000);
    const cases = at.received.map(({ json }) => (json.data as { case: { id: string } }).case.id);
    expect(cases).toEqual(Array.from({ length: 20 }, (_, i) => `C-2026-00${10 + i}`));
    expect(at.alerts.problem).toBeUndefined();
  });

  it('that was on its way when the process was killed is sent again under the same id', async () => {
    const at = await opened();
    let hang = true;
    const ids: string[] = [];
    at.answer = ({ headers }) => {
      ids.push(headers['webhook-id']!);
      if (hang) throw new Error('killed before the answer came');
      return { status: 200 };
    };
    at.alerts.notify(alarmIn());
    // The first try is claimed; this process never writes down how it ended.
    const { finish } = { finish: at.store.db.updateTable.bind(at.store.db) };
    let calls = 0;
    at.store.db.updateTable = ((table: 'alerts') => {
      if (++calls > 1) throw new Error('killed');
      return finish(table);
    }) as typeof at.store.db.updateTable;
    await at.alerts.send();
    at.store.db.updateTable = finish;
    await at.again();
    hang = false;
    await at.alerts.send();
    expect(at.received).toHaveLength(0);
    await at.pass(2 * MINUTE, 10_000);
    expect(at.received).toHaveLength(1);
    expect(new Set(ids).size).toBe(1);
    expect(ids).toHaveLength(2);
  });

  it('of a case that was kept while its alert was not is sent at the next start', async () => {
    const at = await opened();
    at.recent = [aCase(), aCase({ id: 'C-2026-0008', state: 'closed' }), aCase({ id: 'C-2026-0009' })];
    at.alerts.notify(alarmIn(aCase({ id: 'C-2026-0009' })));
    await at.alerts.send();
    await at.again();
    await at.alerts.send();
    expect(at.received.map(({ json }) => (json.data as { case: { id: string } }).case.id)).toEqual([
      'C-2026-0009',
      'C-2026-0007',
    ]);
  });

  it('is given up after days, kept, shown, and may be sent again', async () => {
    const at = await opened({ channels: [{ ...HOOK, retryFor: '2 days' }] });
    at.answer = () => ({ status: 503 });
    at.alerts.notify(alarmIn());
    await at.alerts.send();
    await at.pass(49 * HOUR, 10 * MINUTE);
    const { rows } = await at.alerts.outbox({ state: 'given-up' });
    expect(rows).toMatchObject([
      {
        channel: 'hook',
        state: 'given-up',
        because: 'status 503',
        case: 'C-2026-0007',
        title: 'acme is copying signs',
      },
    ]);
    expect(rows[0]!.tries).toBeGreaterThan(100);
    expect(at.failures.map(String).join()).toContain('gave up');
    at.answer = () => ({ status: 200 });
    expect(await at.alerts.again(rows[0]!.id)).toMatchObject({ state: 'sent' });
    await expect(at.alerts.again(rows[0]!.id)).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('that alone is not taken holds up no other case, and is given up soon', async () => {
    const at = await opened();
    at.answer = ({ body }) => ({ status: body.includes('C-2026-0007') ? 422 : 200 });
    at.alerts.notify(alarmIn());
    at.alerts.notify(alarmIn(aCase({ id: 'C-2026-0008' })));
    await at.alerts.send();
    expect((await at.alerts.outbox({ state: 'sent' })).rows.map((row) => row.case)).toEqual(['C-2026-0008']);
    await at.pass(10 * MINUTE, 5000);
    expect((await at.alerts.outbox({ state: 'given-up' })).rows).toMatchObject([
      { case: 'C-2026-0007', tries: 5 },
    ]);
  });

  it('waits as long as the receiver asks', async () => {
    const at = await opened();
    at.answer = () => ({ status: 429, headers: { 'retry-after': '300' } });
    at.alerts.notify(alarmIn());
    await at.alerts.send();
    await at.pass(299_000, 10_000);
    expect(at.received).toHaveLength(1);
    at.answer = () => ({ status: 200 });
    await at.pass(5000);
    expect(at.received).toHaveLength(2);
  });

  it('goes to each receiver by itself: one that is down holds up no other', async () => {
    const at = await opened({
      channels: [HOOK, { ...HOOK, name: 'other', url: 'https://other.example.org/' }],
    });
    at.answer = ({ url }) => ({ status: url.includes('other') ? 200 : 500 });
    at.alerts.notify(alarmIn());
    await at.alerts.send();
    expect((await at.alerts.channels()).map(({ name, sent, waiting }) => [name, sent, waiting])).toEqual([
      ['hook', 0, 1],
      ['other', 1, 0],
    ]);
  });

  it('goes to two gateways’ receivers once where they share a store', async () => {
    const at = await opened();
    const first = at.alerts;
    await at.again();
    for (let i = 0; i < 10; i++) first.notify(alarmIn(aCase({ id: `C-2026-01${10 + i}` })));
    await first.send();
    for (let i = 0; i < 10; i++) at.alerts.notify(alarmIn(aCase({ id: `C-2026-02${10 + i}` })));
    await Promise.all([first.send(), at.alerts.send()]);
    expect(at.received).toHaveLength(20);
  });

  it('is kept while the store does not answer for a moment', async () => {
    const at = await opened();
    const { transact } = at.store;
    (at.store as { transact: unknown }).transact = () => Promise.reject(new Error('store is away'));
    at.alerts.notify(alarmIn());
    at.alerts.notify(alarmIn(aCase({ id: 'C-2026-0008' })));
    expect(() => at.alerts.notify({ kind: 'alarm' } as never)).not.toThrow();
    await at.alerts.send();
    expect([at.received.length, at.failures.length > 0]).toEqual([0, true]);
    (at.store as { transact: unknown }).transact = transact;
    await at.alerts.send();
    expect(at.received).toHaveLength(2);
  });
});

describe('alerts by themselves', () => {
  it('send what comes, and look no more than once a second at what must wait', async () => {
    const at = await opened();
    const kept = at.alerts;
    let [asked, wake]: [number[], () => void] = [[], () => {}];
    await at.again(undefined, (run, milliseconds) => {
      asked.push(milliseconds);
      wake = run;
      return () => {};
    });
    let looks = 0;
    const { selectFrom } = at.store.db;
    at.store.db.selectFrom = ((table: 'alerts') => {
      looks++;
      return selectFrom.call(at.store.db, table as never);
    }) as typeof selectFrom;
    at.answer = () => ({ status: 500 });
    for (let i = 0; i < 5; i++) at.alerts.notify(alarmIn(aCase({ id: `C-2026-00${10 + i}` })));
    // What comes is sent at once, and what could not be sent has its time.
    const isAsleep = () => (asked.at(-1) ?? 0) >= 1000;
    await until(() => {
      if (asked.at(-1) === 0) wake();
      return isAsleep();
    });
    const tried = at.received.length;
    expect(tried).toBeGreaterThan(0);
    expect(tried).toBeLessThan(5);
    [looks, asked] = [0, []];
    wake();
    await until(isAsleep);
    expect([at.received.length, looks]).toEqual([tried, 0]);
    await kept.close();
  });
});

describe('what is told', () => {
  it('is one alert a case: more of it goes together, in order', async () => {
    const at = await opened();
    const found = aCase();
    at.alerts.notify(alarmIn(found));
    await at.alerts.send();
    for (let i = 0; i < 40; i++) at.alerts.notify(alarmIn(found, { title: `alarm ${i}` }));
    at.alerts.notify(eventIn(found, measure('acme')));
    await at.alerts.send();
    expect(actions(at)).toEqual(['trigger']);
    await at.pass(6 * MINUTE, 10_000);
    expect(actions(at)).toEqual(['trigger', 'update']);
    expect(at.received[1]!.json.data).toMatchObject({ news: expect.arrayContaining(['alarm 0']), more: 21 });
    expect((at.received[1]!.json.data as { news: string[] }).news).toHaveLength(20);
  });

  it('begins, is taken, and ends; what is worse is told at once', async () => {
    const at = await opened();
    const found = aCase({ severity: 'medium' });
    const say = async (change: Parameters<AlertsSide['alerts']['notify']>[0]) => {
      at.alerts.notify(change);
      await at.alerts.send();
    };
    await say(alarmIn(found));
    await say(alarmIn(aCase({ severity: 'critical' })));
    await say(eventIn(found, { kind: 'owner', to: 'ann' }));
    await say(eventIn(found, measure('acme')));
    await say(eventIn(found, { kind: 'comment', text: 'I look at it' }));
    await say(
      eventIn(aCase({ state: 'closed', verdict: 'attack' }), {
        kind: 'state',
        from: 'contained',
        to: 'closed',
        verdict: 'attack',
      }),
    );
    await say(eventIn(found, { kind: 'state', from: 'closed', to: 'open' }));
    expect(actions(at)).toEqual(['trigger', 'trigger', 'acknowledge', 'resolve', 'trigger']);
    expect((at.received[3]!.json.data as { news: string[] }).news).toEqual([
      'in force: throttle, acme, by ann',
      'closed by ann: attack',
    ]);
  });

  it('keeps its order of a case when the first could not be sent', async () => {
    const at = await opened();
    at.answer = () => ({ status: 500 });
    const found = aCase();
    at.alerts.notify(alarmIn(found));
    await at.alerts.send();
    at.alerts.notify(eventIn(found, { kind: 'owner', to: 'ann' }));
    at.alerts.notify(
      eventIn(aCase({ state: 'closed' }), { kind: 'state', from: 'open', to: 'closed', verdict: 'drift' }),
    );
    await at.alerts.send();
    at.received.length = 0;
    at.answer = () => ({ status: 200 });
    await at.pass(MINUTE, 1000);
    expect(actions(at)).toEqual(['trigger', 'acknowledge', 'resolve']);
  });

  it('is of the severity that the receiver wants, and nothing about what it was never told', async () => {
    const at = await opened({ channels: [{ ...HOOK, least: 'high' }] });
    at.alerts.notify(alarmIn(aCase({ severity: 'medium' })));
    at.alerts.notify(eventIn(aCase({ id: 'C-2026-0008', severity: 'critical' }), measure('acme')));
    await at.alerts.send();
    await at.pass(10 * MINUTE, MINUTE);
    expect(at.received).toEqual([]);
    expect((await at.alerts.outbox({})).rows).toEqual([]);
  });

  it('waits for the end of quiet hours, unless it is critical', async () => {
    const at = await opened({ channels: [{ ...HOOK, quiet: { from: '11:00', to: '13:30', zone: 'UTC' } }] });
    at.alerts.notify(alarmIn());
    at.alerts.notify(alarmIn(aCase({ id: 'C-2026-0008' })));
    await at.alerts.send();
    await at.pass(HOUR, 5 * MINUTE);
    expect(at.received).toEqual([]);
    at.alerts.notify(alarmIn(aCase({ id: 'C-2026-0008', severity: 'critical' })));
    await at.alerts.send();
    expect(
      at.received.map(({ json }) => (json.data as { case: { id: string; severity: string } }).case.severity),
    ).toEqual(['high', 'critical']);
    await at.pass(HOUR, 5 * MINUTE);
    expect(at.received.at(-1)!.at).toBe(Date.parse('2026-11-20T13:30:00Z'));
    expect(at.received).toHaveLength(3);
  });

  it('is so many messages an hour; the rest waits', async () => {
    const at = await opened({ channels: [{ ...HOOK, mostAnHour: 5 }] });
    for (let i = 0; i < 8; i++) at.alerts.notify(alarmIn(aCase({ id: `C-2026-00${10 + i}` })));
    await at.alerts.send();
    await at.pass(HOUR / 2, MINUTE);
    expect(at.received).toHaveLength(5);
    await at.pass(HOUR, MINUTE);
    expect(at.received).toHaveLength(8);
  });
});

describe('the test button', () => {
  it('takes the very way of an alert: the store, the outbox, the receiver', async () => {
    const at = await opened({
      channels: [{ ...HOOK, least: 'critical', quiet: { from: '00:00', to: '23:59' } }],
    });
    const shown = await at.alerts.test('hook', 'ann');
    expect(shown).toMatchObject({ state: 'sent', channel: 'hook', tries: 1 });
    expect(at.received[0]!.headers['webhook-signature']).toMatch(/^v1,/);
    expect(at.received[0]!.headers['webhook-id']).toBe(`msg_${shown.id}`);
    expect((await at.alerts.outbox({})).rows).toEqual([shown]);
  });

  it('says what is wrong, and asks a receiver that is being left alone', async () => {
    const at = await opened();
    at.answer = () => ({ status: 401 });
    at.alerts.notify(alarmIn());
    await at.alerts.send();
    expect(await at.alerts.test('hook', 'ann')).toMatchObject({
      state: 'waiting',
      tries: 1,
      because: 'status 401',
    });
    expect((await at.alerts.channels())[0]!.because).toBe('status 401');
    await expect(at.alerts.test('nobody', 'ann')).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('leaves nothing open where cases are kept open', async () => {
    const at = await opened({ channels: [{ kind: 'pagerduty', name: 'pd', routingKey: { env: 'ROUTE' } }] });
    await at.alerts.test('pd', 'ann');
    expect(
      at.received.map(({ json }) => [json.event_action, json.dedup_key === at.received[0]!.json.dedup_key]),
    ).toEqual([
      ['trigger', true],
      ['resolve', true],
    ]);
  });
});

describe('receivers', () => {
  it('change while the gateway runs; a wrong one changes nothing', async () => {
    const at = await opened();
    const { alertsSchema } = await import('./config-schema.ts');
    await expect(
      at.alerts.prepare(alertsSchema.parse({ channels: [{ ...HOOK, keys: [{ env: 'NOT_THERE' }] }] })),
    ).rejects.toMatchObject({
      code: 'option/invalid',
      message: expect.stringContaining('NOT_THERE'),
    });
    (await at.alerts.prepare(alertsSchema.parse({ channels: [{ ...HOOK, name: 'new' }] })))();
    at.alerts.notify(alarmIn());
    await at.alerts.send();
    expect((await at.alerts.outbox({})).rows).toMatchObject([{ channel: 'new', state: 'sent' }]);
  });
});
