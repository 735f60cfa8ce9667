import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, type Places, placesOf } from '../../test/servers/store-places.ts';
import { GlacisError } from '../core/error.ts';
import { openStore, type Store } from '../store/index.ts';
import { alarmOf, countingIds, type Desk, openDesk, START } from './incident.fixture.ts';
import { eventDigest } from './ledger-event.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BY_HAND = { rules: [], mode: 'on' } as const;
const HOSTILE = '<script>\u202e\0\r\n=cmd|\u001b[31m\'";-- \ud800 %_!\\';

describe.each(ENGINES)('incidents on $engine', ({ engine, missing }) => {
  describe.skipIf(missing !== '')(missing || 'works', () => {
    let places: Places;
    let store: Store;
    beforeAll(async () => {
      places = await placesOf(engine);
    });
    beforeEach(async () => {
      store = await openStore(await places.next());
    });
    afterEach(() => store.close());
    afterAll(() => places.end());

    const quiet = (config: object = {}) => openDesk(store, { respond: BY_HAND, ...config });
    const raised = async ({ incidents }: Desk, over: Parameters<typeof alarmOf>[0] = {}) => {
      return (await incidents.raise(alarmOf(over)))!;
    };
    const view = async ({ incidents }: Desk, id: string) => (await incidents.find(id))!;

    it('forms a case of the first alarm, in the log before it counts', async () => {
      const desk = quiet();
      const id = await raised(desk);
      expect(id).toBe('C-2026-0001');
      const { case: found, events, alarms } = await view(desk, id);
      expect(found).toMatchObject({
        state: 'open',
        kind: 'attack',
        severity: 'medium',
        models: ['signs'],
        principals: ['mallory'],
        queries: 400,
        alarms: 1,
        revision: 0,
        first: START - MINUTE,
      });
      expect(alarms).toHaveLength(1);
      expect(events.map(({ what, by, entry }) => [what.kind, by, entry])).toEqual([['alarm', 'glacis', 0]]);
      expect(desk.ledger[0]).toMatchObject({
        event: 'case-alarm',
        about: { case: id, monitor: 'extraction' },
      });
      expect(desk.ledger[0]!.about.digest).toBe(eventDigest(events[0]!));
      expect(desk.changes.map(({ kind }) => kind)).toEqual(['case', 'alarm']);
    });

    it('keeps nothing that the log does not take', async () => {
      const desk = quiet();
      desk.broken = true;
      expect(await raised(desk)).toBeUndefined();
      expect((await desk.incidents.list({})).rows).toEqual([]);
      expect(desk.failures.length).toBeGreaterThan(0);
      expect(desk.incidents.dropped()).toBe(1);
    });

    it('counts what comes again, and keeps another when it is worse or long after', async () => {
      const desk = quiet();
      const id = await raised(desk);
      desk.at += 2000;
      await raised(desk, { at: START + 2000, last: START + 2000, queries: 450 });
      desk.at += 2000;
      await raised(desk, { at: START + 4000, last: START + 4000, queries: 500 });
      let shown = await view(desk, id);
      expect(shown.case).toMatchObject({ alarms: 3, queries: 500, last: START + 4000 });
      expect(shown.events.map(({ what }) => what.kind === 'alarm' && what.again)).toEqual([2]);
      expect(desk.ledger).toHaveLength(1);
      desk.at += 2000;
      await raised(desk, { at: desk.at, severity: 'high', title: 'worse' });
      desk.at += 11 * MINUTE;
      await raised(desk, { at: desk.at, severity: 'high' });
      shown = await view(desk, id);
      expect(shown.case).toMatchObject({ alarms: 5, severity: 'high', title: 'worse' });
      expect(shown.alarms).toHaveLength(3);
      expect(desk.ledger).toHaveLength(3);
    });

    it('takes the same alarm twice for one', async () => {
      const desk = quiet();
      const alarm = alarmOf();
      const id = await desk.incidents.raise(alarm);
      desk.at += HOUR;
      expect(await desk.incidents.raise(alarm)).toBe(id);
      expect((await view(desk, id!)).case.alarms).toBe(1);
      expect(desk.ledger).toHaveLength(1);
    });

    it('puts together what is about the same principals, model and time, and nothing else', async () => {
      const desk = quiet();
      const id = await raised(desk);
      const others = [
        { subject: 'b', monitor: 'near-duplicates', principals: ['eve', 'mallory'] },
        { subject: 'c', principals: ['eve'], monitor: 'boundary' },
      ];
      for (const over of others) expect(await raised(desk, over)).toBe(id);
      expect((await view(desk, id)).case.principals).toEqual(['mallory', 'eve']);
      expect(await raised(desk, { subject: 'd', model: 'digits' })).toBe('C-2026-0002');
      expect(await raised(desk, { subject: 'e', kind: 'drift', principals: [] })).toBe('C-2026-0003');
      expect(
        await raised(desk, {
          subject: 'f',
          first: START + 3 * HOUR,
          last: START + 4 * HOUR,
          at: START + 4 * HOUR,
        }),
      ).toBe('C-2026-0004');
      expect((await desk.incidents.casesOf('eve')).map((each) => each.id)).toEqual([id]);
      expect((await desk.incidents.casesOf('eve\0')).map((each) => each.id)).toEqual([]);
    });

    it('opens a closed case again for new queries, not for late news of old ones, and not for ever', async () => {
      const desk = quiet();
      const id = await raised(desk);
      desk.at = START + HOUR;
      await desk.incidents.state(id, { state: 'closed', verdict: 'attack', revision: 0 }, 'ann');
      await raised(desk, { at: START + HOUR, last: START + MINUTE });
      expect((await view(desk, id)).case).toMatchObject({ state: 'closed', verdict: 'attack', alarms: 2 });
      desk.at = START + 2 * HOUR;
      expect(await raised(desk, { at: desk.at, last: desk.at })).toBe(id);
      const { case: open, events } = await view(desk, id);
      expect(open).toMatchObject({ state: 'open', revision: 2 });
      expect([open.verdict, open.closed]).toEqual([undefined, undefined]);
      expect(events.at(-2)!.what).toEqual({ kind: 'state', from: 'closed', to: 'open' });
      await desk.incidents.state(id, { state: 'closed', verdict: 'attack', revision: 2 }, 'ann');
      desk.at += 8 * DAY;
      expect(await raised(desk, { at: desk.at, last: desk.at })).toBe('C-2026-0002');
    });

    it('never grows without bound, whatever number of alarms, subjects and cases', async () => {
      const desk = quiet({ mostCasesAnHour: 3, mostAlarms: 5, repeatAfter: '1 ms' });
      for (let i = 0; i < 40; i++) {
        desk.at += 2000;
        const other = { subject: `s${i % 20}`, principals: [`p${i % 20}`], at: desk.at };
        await raised(desk, other);
      }
      const { rows } = await desk.incidents.list({});
      expect(rows).toHaveLength(4);
      expect(rows.reduce((sum, { alarms }) => sum + alarms, 0)).toBe(40);
      const count = async (table: 'alarms' | 'case_subjects') =>
        (await store.db.selectFrom(table).selectAll().execute()).length;
      expect(await count('alarms')).toBeLessThanOrEqual(3 * 5 + 5);
      expect(await count('case_subjects')).toBeLessThanOrEqual(3 + 5 + 1);
      expect(desk.ledger.length).toBeLessThanOrEqual(20);
    });

    it('puts a flood from one monitor together before it reaches the store', async () => {
      const desk = quiet();
      const all = Array.from({ length: 5000 }, (_, i) => desk.incidents.raise(alarmOf({ queries: i })));
      const ids = new Set(await Promise.all(all.slice(0, 1)));
      await desk.incidents.close();
      const { case: found } = await view(desk, [...ids][0]!);
      expect(found).toMatchObject({ alarms: 5000, queries: 4999 });
      expect(desk.ledger).toHaveLength(1);
      const rest = Array.from({ length: 3000 }, (_, i) =>
        desk.incidents.raise(alarmOf({ subject: `x${i}` })),
      );
      expect(await Promise.all(rest)).toHaveLength(3000);
    });

    it('lets two who act at once notice each other', async () => {
      const desk = quiet();
      const id = await raised(desk);
      const both = await Promise.allSettled([
        desk.incidents.state(id, { state: 'working', revision: 0 }, 'ann'),
        desk.incidents.owner(id, { owner: 'bob', revision: 0 }, 'bob'),
      ]);
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const lost = both.find((each) => each.status === 'rejected')!;
      expect(lost.reason).toMatchObject({ code: 'store/conflict' });
      await expect(desk.incidents.owner(id, { owner: 'eve', revision: 0 }, 'eve')).rejects.toMatchObject({
        code: 'store/conflict',
      });
      const { case: found } = await view(desk, id);
      expect(found.revision).toBe(1);
      expect((await desk.incidents.owner(id, { owner: 'eve', revision: 1 }, 'eve')).owner).toBe('eve');
    });

    it('takes a verdict to close, and no other to move on', async () => {
      const desk = quiet();
      const id = await raised(desk);
      const refused = { code: 'option/invalid' };
      const { state } = desk.incidents;
      await expect(state(id, { state: 'closed', revision: 0 }, 'a')).rejects.toMatchObject(refused);
      await expect(state(id, { state: 'working', verdict: 'drift', revision: 0 }, 'a')).rejects.toMatchObject(
        refused,
      );
      await expect(state(id, { state: 'open', revision: 0 }, 'a')).rejects.toMatchObject(refused);
      await expect(state('C-2026-9999', { state: 'working', revision: 0 }, 'a')).rejects.toMatchObject(
        refused,
      );
      expect(desk.ledger).toHaveLength(1);
      const closed = await state(id, { state: 'closed', verdict: 'false-alarm', revision: 0 }, 'a');
      expect(closed).toMatchObject({ state: 'closed', verdict: 'false-alarm', closed: START });
    });

    it('contains a case with the first measure, and says how long after the first bad query', async () => {
      const desk = quiet();
      const id = await raised(desk);
      desk.at += 30_000;
      const wish = { measure: 'quarantine', target: { principal: 'mallory' }, because: 'now' } as const;
      const done = await desk.incidents.act(id, wish, 'ann');
      expect(done).toMatchObject({ done: true, case: { state: 'contained', containedAfter: 90_000 } });
      const [order] = desk.containment.orders;
      expect(order).toMatchObject({ case: id, by: 'ann' });
      // Told again from elsewhere, it is there once.
      await desk.incidents.note(order!);
      desk.at += 1000;
      await desk.incidents.lift(order!, 'ann');
      await desk.incidents.note(desk.containment.orders[0]!);
      const { events, case: after } = await view(desk, id);
      expect(events.map(({ what }) => what.kind)).toEqual(['alarm', 'measure', 'lifted']);
      expect(after.containedAfter).toBe(90_000);
      expect(desk.ledger.map(({ event }) => event)).toEqual(['case-alarm', 'case-measure', 'case-lifted']);
    });

    it('refuses measures that lack what they need, or would lock out everybody', async () => {
      const desk = quiet();
      const id = await raised(desk);
      const wishes = [
        { measure: 'quarantine', target: {} },
        { measure: 'quarantine', target: { model: 'signs' } },
        { measure: 'throttle', target: { principal: 'p' } },
        { measure: 'throttle', target: {}, perMinute: 1 },
        { measure: 'rollback', target: {} },
        { measure: 'guard', target: { model: 'signs' } },
        { measure: 'degrade', target: { principal: 'p' }, until: START },
      ] as const;
      for (const wish of wishes)
        await expect(
          desk.incidents.act(id, { ...wish, because: 'x' }, 'ann'),
          JSON.stringify(wish),
        ).rejects.toMatchObject({ code: 'option/invalid' });
      expect(desk.containment.orders).toEqual([]);
    });

    describe('with four eyes', () => {
      const config = { fourEyes: { measures: ['pause'], lift: ['pause'] } };
      const wish = { measure: 'pause', target: { model: 'signs' }, because: 'look' } as const;
      const asked = async (desk: Desk, id: string, by = 'ann') => {
        const outcome = await desk.incidents.act(id, wish, by);
        if (outcome.done) throw new Error('expected to wait');
        return outcome.act;
      };

      it('waits for another person, and does it then', async () => {
        const desk = quiet(config);
        const id = await raised(desk);
        const act = await asked(desk, id);
        expect(desk.containment.orders).toEqual([]);
        await expect(desk.incidents.approve(id, act, 'ann')).rejects.toMatchObject({
          code: 'option/invalid',
        });
        expect(desk.containment.orders).toEqual([]);
        expect(await desk.incidents.approve(id, act, 'bob')).toMatchObject({ done: true });
        expect(desk.containment.orders).toMatchObject([{ measure: 'pause', by: 'ann', case: id }]);
        await expect(desk.incidents.approve(id, act, 'eve')).rejects.toMatchObject({
          code: 'store/conflict',
        });
        const { events } = await view(desk, id);
        expect(events.map(({ what }) => what.kind)).toEqual(['alarm', 'asked', 'approved', 'measure']);
        expect(events[1]!.what).toMatchObject({ act, wish: { measure: 'pause' } });
        const lift = await desk.incidents.lift(desk.containment.orders[0]!, 'ann');
        expect(lift.done).toBe(false);
        if (!lift.done) await desk.incidents.approve(id, lift.act, 'bob');
        expect(desk.containment.active()).toEqual([]);
      });

      it('does it once when two approve at the same moment, and not when one declined', async () => {
        const desk = quiet(config);
        const id = await raised(desk);
        const act = await asked(desk, id);
        const both = await Promise.allSettled([
          desk.incidents.approve(id, act, 'bob'),
          desk.incidents.approve(id, act, 'eve'),
        ]);
        expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
        expect(desk.containment.orders).toHaveLength(1);
        const other = await asked(desk, id, 'eve');
        await desk.incidents.decline(id, other, 'bob');
        await expect(desk.incidents.approve(id, other, 'ann')).rejects.toMatchObject({
          code: 'store/conflict',
        });
      });

      it('forgets an act that waited too long, and knows no act of another case', async () => {
        const desk = quiet(config);
        const id = await raised(desk);
        const act = await asked(desk, id);
        const second = await raised(desk, { subject: 'other', principals: [], model: 'digits' });
        for (const [of, which] of [
          [second, act],
          [id, 'f'.repeat(32)],
          [id, HOSTILE],
        ] as const)
          await expect(desk.incidents.approve(of, which, 'bob')).rejects.toMatchObject({
            code: 'option/invalid',
          });
        desk.at += 2 * DAY;
        await expect(desk.incidents.approve(id, act, 'bob')).rejects.toMatchObject({
          code: 'option/invalid',
        });
        expect(desk.containment.orders).toEqual([]);
      });
    });

    describe('responding by itself', () => {
      it('tells less to whom an attack is ascribed, and stops what is critical', async () => {
        const desk = openDesk(store);
        const id = await raised(desk, { severity: 'high' });
        expect(desk.containment.orders).toMatchObject([
          {
            measure: 'degrade',
            target: { principal: 'mallory' },
            detail: 'label',
            by: 'glacis',
            until: START + DAY,
          },
        ]);
        desk.at += 2000;
        await raised(desk, { severity: 'critical', at: desk.at });
        expect(desk.containment.active().map(({ measure }) => measure)).toEqual([
          'throttle',
          'quarantine',
          'degrade',
        ]);
        expect((await view(desk, id)).case).toMatchObject({ state: 'contained', containedAfter: MINUTE });
      });

      it('counts a measure of another case for this one, too, and how soon cases were contained', async () => {
        const desk = openDesk(store);
        await raised(desk, { severity: 'high' });
        desk.at += 3 * HOUR;
        const late = { first: desk.at - 5000, last: desk.at, at: desk.at, subject: 'other', model: 'digits' };
        const second = await raised(desk, { severity: 'high', ...late });
        expect(second).toBe('C-2026-0002');
        expect(desk.containment.orders).toHaveLength(1);
        const { case: found, orders, events } = await view(desk, second);
        expect(found).toMatchObject({ state: 'contained', containedAfter: 0 });
        expect(orders).toMatchObject([{ measure: 'degrade', case: 'C-2026-0001' }]);
        expect(events.map(({ what }) => what.kind)).toEqual(['alarm', 'measure']);
        expect(desk.incidents.counts()).toEqual({
          alarms: 2,
          opened: 2,
          contained: 2,
          containedMilliseconds: MINUTE,
        });
      });

      it('leaves drift and milder alarms to a person, with suggestions', async () => {
        const desk = openDesk(store);
        const id = await raised(desk);
        await raised(desk, { kind: 'drift', severity: 'critical', principals: [], subject: 'drift' });
        expect(desk.containment.orders).toEqual([]);
        const { suggestions } = await view(desk, id);
        expect(suggestions.map(({ wish }) => wish.measure)).toEqual(
          expect.arrayContaining(['degrade', 'throttle', 'quarantine', 'verify', 'freeze']),
        );
        for (const { wish } of suggestions) expect(wish.case).toBe(id);
      });

      it('suggests nothing that cannot be done', async () => {
        const desk = openDesk(store);
        desk.containment.impossible = 'verify';
        const id = await raised(desk);
        const { suggestions } = await view(desk, id);
        expect(suggestions.map(({ wish }) => wish.measure)).toContain('freeze');
        expect(suggestions.map(({ wish }) => wish.measure)).not.toContain('verify');
      });

      it('asks a person beyond the limit, so that nobody can have everybody locked out', async () => {
        const desk = openDesk(store, { respond: { mostQuarantined: 2, never: ['probe*'] } });
        const principals = ['a', 'b', 'probe-1', 'c', 'd'];
        const id = await raised(desk, { severity: 'critical', principals });
        const quarantined = desk.containment.orders.filter(({ measure }) => measure === 'quarantine');
        expect(quarantined.map(({ target }) => target.principal).sort()).toEqual(['a', 'b']);
        const { events } = await view(desk, id);
        const asked = events.flatMap(({ what }) => (what.kind === 'asked' ? [what] : []));
        expect(asked.map(({ wish }) => wish?.target.principal)).toEqual(['c', 'd']);
        expect(JSON.stringify(desk.containment.orders)).not.toContain('probe-1');
        await desk.incidents.approve(id, asked[0]!.act, 'ann');
        expect(desk.containment.orders[0]).toMatchObject({ target: { principal: 'c' }, by: 'ann' });
        // A second gateway on the same store counts what the first one did.
        const other = openDesk(store, { respond: { mostQuarantined: 2 } }, countingIds('c'));
        await raised(other, { severity: 'critical', principals: ['x'], subject: 'x', model: 'digits' });
        expect(other.containment.orders.map(({ measure }) => measure).sort()).toEqual([
          'degrade',
          'throttle',
        ]);
      });

      it('only says what it would do in a dry run, and goes on when one thing fails', async () => {
        const dry = openDesk(store, { respond: { mode: 'dry-run' } });
        const id = await raised(dry, { severity: 'critical' });
        expect(dry.containment.orders).toEqual([]);
        const said = (await view(dry, id)).events.at(-1)!;
        expect(said).toMatchObject({
          by: 'glacis',
          what: { kind: 'comment', text: expect.stringMatching(/would quarantine/) },
        });
        const desk = openDesk(store, {}, countingIds('d'));
        desk.containment.fails = new GlacisError('option/invalid', 'no such principal');
        const other = await raised(desk, { severity: 'critical', subject: 'y', model: 'm' });
        const texts = (await view(desk, other)).events.flatMap(({ what }) =>
          what.kind === 'comment' ? [what.text] : [],
        );
        expect(texts).toHaveLength(3);
        expect(texts[0]).toMatch(/Could not quarantine: no such principal/);
      });
    });

    it('takes hostile strings for what they are: data', async () => {
      const desk = openDesk(store);
      const id = await raised(desk, {
        ...{ id: HOSTILE, monitor: HOSTILE, model: HOSTILE, subject: HOSTILE, title: HOSTILE, why: HOSTILE },
        ...{ principals: [HOSTILE, 'x'.repeat(10_000)], decisions: [HOSTILE], atlas: [HOSTILE] },
        ...{
          score: Number.NaN,
          threshold: Number.POSITIVE_INFINITY,
          figures: { [HOSTILE]: Number.NaN, __proto__: 1 },
        },
        severity: 'high',
      });
      await desk.incidents.comment(id, HOSTILE, HOSTILE);
      const { case: found, alarms, events } = await view(desk, id);
      const well = HOSTILE.toWellFormed();
      expect(found.principals[0]).toBe(well);
      expect(found.principals[1]).toHaveLength(257);
      expect(alarms[0]).toMatchObject({ title: well, why: well, model: well, figures: { [well]: 'NaN' } });
      expect(events.at(-1)).toMatchObject({ by: HOSTILE, what: { text: well.trim() } });
      const listed = await desk.incidents.list({ find: '=cmd|', most: 5 });
      expect(listed.rows.map((each) => each.id)).toEqual([id]);
      expect((await desk.incidents.list({ find: '%' })).rows).toHaveLength(1);
      expect((await desk.incidents.list({ find: 'a%b' })).rows).toEqual([]);
      expect((await desk.incidents.alarms({ model: well })).rows).toHaveLength(1);
      for (const before of [HOSTILE, '1.2.3', '99999999999999999.x', '']) {
        expect((await desk.incidents.list({ before, kind: HOSTILE })).rows).toEqual([]);
        expect((await desk.incidents.alarms({ before, case: HOSTILE })).rows).toEqual([]);
      }
      expect(await desk.incidents.find(HOSTILE)).toBeUndefined();
    });

    it('keeps names of callers out of a log that seals them, and what they did in it all the same', async () => {
      const desk = openDesk(store, {}, countingIds(), true);
      const id = await raised(desk, { severity: 'high' });
      await desk.incidents.comment(id, 'mallory again', 'ann');
      expect(desk.ledger).toHaveLength(3);
      expect(JSON.stringify(desk.ledger)).not.toContain('mallory');
      const { events } = await view(desk, id);
      expect(desk.ledger.map(({ about }) => about.digest)).toEqual(events.map(eventDigest));
      expect(JSON.stringify(events)).toContain('mallory again');
    });

    it('is not held up by a clock that is set back', async () => {
      const desk = quiet();
      await raised(desk);
      desk.at -= 10 * DAY;
      expect(await raised(desk, { at: desk.at, last: desk.at, first: desk.at })).toBe('C-2026-0001');
    });

    it('lists in pages that meet without a gap', async () => {
      const desk = quiet();
      for (let i = 0; i < 7; i++) {
        desk.at += 1000 * (i % 2);
        await raised(desk, { subject: `s${i}`, principals: [], title: `Case ${i} of SIGNS`, at: desk.at });
      }
      const walk = async (which: 'list' | 'alarms') => {
        const seen: string[] = [];
        for (let before: string | undefined; ; ) {
          const page = await desk.incidents[which]({ most: 2, before });
          seen.push(...page.rows.map(({ id }) => id));
          before = page.next;
          if (before === undefined) return seen;
        }
      };
      expect(new Set(await walk('list')).size).toBe(7);
      expect(await walk('list')).toHaveLength(7);
      expect(new Set(await walk('alarms')).size).toBe(7);
      const found = await desk.incidents.list({ find: 'case 3 OF signs', state: 'open', kind: 'attack' });
      expect(found.rows.map(({ title }) => title)).toEqual(['Case 3 of SIGNS']);
      expect((await desk.incidents.list({ state: 'closed' })).rows).toEqual([]);
    });

    it('numbers cases without a gap when two gateways raise at once', async () => {
      const desks = [quiet(), openDesk(store, { respond: BY_HAND }, countingIds('e'))];
      await Promise.all(
        desks.flatMap((desk, d) =>
          Array.from({ length: 6 }, (_, i) =>
            desk.incidents.raise(alarmOf({ subject: `g${d}.${i}`, principals: [] })),
          ),
        ),
      );
      const { rows } = await desks[0]!.incidents.list({});
      expect(rows.map(({ id }) => id).sort()).toEqual(
        Array.from({ length: 12 }, (_, i) => `C-2026-${String(i + 1).padStart(4, '0')}`),
      );
      expect(desks.flatMap(({ failures }) => failures)).toEqual([]);
    });
  });
});
