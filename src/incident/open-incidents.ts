import { GlacisError } from '../core/error.ts';
import type { Alarm } from '../monitor/alarm.ts';
import { openActs } from './acts.ts';
import { alarmQueue } from './alarm-queue.ts';
import type { Case, CaseState } from './case.ts';
import { type CaseRecord, caseOf, readCase, readEvents } from './case-store.ts';
import { type ChangeSetting, changeCase } from './change-case.ts';
import type { IncidentsConfig } from './config-schema.ts';
import type { Incidents, IncidentsSurroundings } from './incidents.ts';
import { keepAlarm } from './keep-alarm.ts';
import { type LedgerEvent, withoutNames } from './ledger-event.ts';
import { casesOfPrincipal, listAlarms, listCases } from './listing.ts';
import type { OrderWish } from './order.ts';
import { respond } from './respond.ts';
import { suggestionsFor } from './suggest.ts';
import { cut, MOST_NAME } from './text.ts';

export type { CaseView, Incidents, OpenedCase } from './incidents.ts';

const MOST_COMMENT = 4000;

/** Opens incidents over a store: on several gateways at once where they share it. */
export function openIncidents(initial: IncidentsConfig, surroundings: IncidentsSurroundings): Incidents {
  const { store, containment, notify, freshId, now, failed, sealed = false } = surroundings;
  const record = (event: LedgerEvent) => surroundings.record(sealed ? withoutNames(event) : event);
  let config = initial;
  const changing: ChangeSetting = { store, record, now, freshId, notify };
  const counts = { alarms: 0, opened: 0, contained: 0, containedMilliseconds: 0 };
  const contained = (milliseconds: number) => {
    counts.contained++;
    counts.containedMilliseconds += milliseconds;
  };
  const acts = openActs({ ...changing, config: () => config, containment, contained });
  const change = (id: string, given: Parameters<typeof changeCase>[1]) => changeCase(id, given, changing);
  const say = (id: string, text: string, urgent?: true) =>
    change(id, {
      by: 'glacis',
      what: { kind: 'comment', text: cut(text, MOST_COMMENT), ...(urgent && { urgent }) },
    }).catch((thrown) => failed('incident', thrown));

  const keep = async (
    alarm: Alarm,
    again: number,
    by?: string,
  ): Promise<{ readonly id: string; readonly isNew: boolean }> => {
    const kept = await keepAlarm(alarm, again, { config: () => config, store, record, now, freshId, by });
    const shown = caseOf(kept.case);
    for (const event of kept.events) notify({ kind: 'case', case: shown, event });
    const isNew = kept.how === 'opened' || kept.how === 'joined';
    if (kept.how !== 'known') counts.alarms += 1 + again;
    if (kept.how === 'opened') counts.opened++;
    if (kept.how !== 'known') notify({ kind: 'alarm', alarm, case: shown, isNew });
    if (isNew && by === undefined)
      await respond(alarm, shown.id, { config: () => config, acts, containment, store, now, say, failed });
    return { id: shown.id, isNew: kept.how === 'opened' };
  };
  const queue = alarmQueue({ keep: async (alarm, again) => (await keep(alarm, again)).id, now, failed });

  const takesTwo = (measure: string) =>
    new GlacisError(
      'option/invalid',
      `${measure}: expected a case, in which a second person approves it: the policy wants two`,
    );
  return {
    ...acts,
    overseen: {
      active: () => containment.active(),
      list: (query) => containment.list(query),
      against: (wish) => containment.against?.(wish),
      async order(wish, by) {
        if (acts.needsApproval(wish)) throw takesTwo(wish.measure);
        return containment.order(wish, by);
      },
      async lift(id, by) {
        const order = containment.active().find((each) => each.id === id);
        if (order && config.fourEyes.lift.includes(order.measure))
          throw takesTwo(`the end of ${order.measure}`);
        return containment.lift(id, by);
      },
    },
    raise: (alarm) => queue.raise(alarm),
    async open(wish, by) {
      const at = now();
      const id = freshId();
      const last = Math.min(at, wish.last ?? at);
      const { kind, severity, title, why, model = '', principals, decisions } = wish;
      if (model === '' && principals.length === 0 && wish.subject === undefined)
        throw new GlacisError('option/invalid', 'case: expected what it is about: a model, or a principal');
      const alarm: Alarm = {
        ...{ id, at, kind, severity, title: cut(title, 300), why: cut(why, MOST_COMMENT), last },
        monitor: 'person',
        model: cut(model, MOST_NAME),
        principals: [...new Set(principals.slice(0, 32).map((each) => cut(each, MOST_NAME)))],
        subject: wish.subject ?? `person ${id}`,
        score: 0,
        threshold: 0,
        first: Math.min(last, wish.first ?? last),
        queries: decisions.length,
        decisions: decisions.slice(0, 64).map((each) => cut(each, MOST_NAME)),
        atlas: [],
        figures: {},
      };
      const { id: of, isNew } = await keep(alarm, 0, by);
      const found = await readCase(store.db, of);
      return { ...caseOf(found!), isNew };
    },
    list: (query) => listCases(store.reader, query),
    alarms: (query) => listAlarms(store.reader, query),
    async find(id) {
      const found = await readCase(store.db, id);
      if (!found) return undefined;
      const { events, alarms } = await readEvents(store.db, id);
      const own = await containment.list({ case: id, most: 1000 });
      // What another case had done to the same principals holds here as well.
      const others = containment
        .active()
        .filter((order) => order.case !== id && found.principals.includes(order.target.principal ?? '\0'));
      const orders = [...own, ...others];
      const given = {
        ...{ config, active: containment.active(), now: now(), needsApproval: acts.needsApproval },
        suits: (wish: OrderWish) => containment.against?.(wish) === undefined,
      };
      return {
        case: caseOf(found),
        events,
        alarms,
        orders,
        suggestions: suggestionsFor(found, alarms, given),
      };
    },
    casesOf: (principal) => casesOfPrincipal(store.reader, principal),
    async state(id, { state, verdict, revision }, by) {
      if ((state === 'closed') !== (verdict !== undefined))
        throw new GlacisError(
          'option/invalid',
          'state: expected a verdict where a case is closed, and only there',
        );
      const before = await readCase(store.db, id);
      const what = {
        kind: 'state',
        from: before?.state ?? 'open',
        to: state,
        ...(verdict && { verdict }),
      } as const;
      const done = await change(id, {
        ...{ by, revision, what },
        apply: (record) => moved(record, state, verdict, now()),
      });
      return done.case;
    },
    async owner(id, { owner, revision }, by) {
      const to = owner === undefined || owner === '' ? undefined : cut(owner, MOST_NAME);
      const done = await change(id, {
        ...{ by, revision, what: { kind: 'owner', to } },
        apply: ({ owner: _, ...rest }) => ({
          ...rest,
          ...(to !== undefined && { owner: to }),
          revision: rest.revision + 1,
        }),
      });
      return done.case;
    },
    async comment(id, text, by) {
      const said = text.trim();
      if (said === '' || said.length > MOST_COMMENT)
        throw new GlacisError('option/invalid', `comment: expected 1 to ${MOST_COMMENT} characters`);
      return (await change(id, { by, what: { kind: 'comment', text: said.toWellFormed() } })).event;
    },
    async add(id, what, by, logged) {
      await change(id, { by, what, logged });
    },
    reload(next) {
      config = next;
    },
    config: () => config,
    counts: () => ({ ...counts }),
    dropped: queue.dropped,
    idle: queue.idle,
    close: () => queue.close(),
  };
}

/** A case in another state. Errors: `option/invalid` where it is there already. */
function moved(record: CaseRecord, state: CaseState, verdict: Case['verdict'], at: number): CaseRecord {
  if (record.state === state) throw new GlacisError('option/invalid', `state: the case is ${state} already`);
  const { verdict: _, closed: __, ...rest } = record;
  return {
    ...rest,
    state,
    revision: record.revision + 1,
    ...(state === 'closed' && { closed: at, ...(verdict && { verdict }) }),
  };
}
