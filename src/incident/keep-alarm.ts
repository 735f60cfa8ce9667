import { GlacisError } from '../core/error.ts';
import type { Alarm } from '../monitor/alarm.ts';
import type { Store } from '../store/index.ts';
import { sha256 } from './canonical.ts';
import type { CaseEvent } from './case.ts';
import {
  addEvent,
  type CaseRecord,
  type Database,
  linkPrincipals,
  withAlarm,
  writeCase,
} from './case-store.ts';
import type { IncidentsConfig } from './config-schema.ts';
import { type AlarmPlace, placeOfAlarm } from './form-case.ts';
import { type LedgerEvent, ledgerEvent } from './ledger-event.ts';

/** What keeping alarms depends on. */
export interface KeepAlarmSetting {
  readonly config: () => IncidentsConfig;
  readonly store: Store;
  readonly record: (event: LedgerEvent) => Promise<number>;
  readonly now: () => number;
  readonly freshId: () => string;
  /** The person who raised it; a monitor did, without. */
  readonly by?: string | undefined;
}

/** What became of an alarm. */
export interface KeptAlarm {
  readonly alarm: Alarm;
  readonly case: CaseRecord;
  /** `counted`: it is like one before it. */
  readonly how: 'opened' | 'joined' | 'counted' | 'known';
  readonly events: readonly CaseEvent[];
}

const MOST_TRIES = 8;

/**
 * Keeps an alarm and says how often it came again: in the log first, then in its case. An alarm that is only counted leaves nothing in the log. Errors: those of
 * the log and of the store, `store/conflict` where others were quicker many times.
 */
export async function keepAlarm(
  alarm: Alarm,
  again: number,
  { config, store, record, now, freshId, by = 'glacis' }: KeepAlarmSetting,
): Promise<KeptAlarm> {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const place = await placeOfAlarm(store.db, alarm, { config: config(), now: now() });
    if (place.kind === 'known') return known(place.case, alarm, store);
    const at = now();
    const of = place.kind === 'opens' ? place.id : place.case.id;
    const logged = async (what: CaseEvent['what']): Promise<CaseEvent> => {
      const event = { id: freshId(), case: of, at, by, what };
      return { ...event, entry: await record(ledgerEvent(event)) };
    };
    const events: CaseEvent[] = [];
    if (place.kind !== 'opens' && place.reopens)
      events.push(await logged({ kind: 'state', from: 'closed', to: 'open' }));
    if (place.kind !== 'again') events.push(await logged({ kind: 'alarm', alarm, again }));
    const kept = await store
      .transact((db) => write(db, { alarm, again, place, events, at, config: config(), now: now() }))
      .catch((thrown) => {
        if (thrown instanceof GlacisError && thrown.code === 'store/conflict') return undefined;
        throw thrown;
      });
    if (kept)
      return {
        alarm,
        case: kept,
        events,
        how: place.kind === 'opens' ? 'opened' : place.kind === 'joins' ? 'joined' : 'counted',
      };
  }
  throw new GlacisError('store/conflict', 'alarm: others changed its case each time that it was to be kept');
}

async function known(id: string, alarm: Alarm, { db }: Store): Promise<KeptAlarm> {
  const row = await db.selectFrom('cases').select('body').where('id', '=', id).executeTakeFirstOrThrow();
  return { alarm, case: JSON.parse(row.body) as CaseRecord, how: 'known', events: [] };
}

interface Writing {
  readonly alarm: Alarm;
  readonly again: number;
  readonly place: Exclude<AlarmPlace, { kind: 'known' }>;
  readonly events: readonly CaseEvent[];
  readonly at: number;
  readonly config: IncidentsConfig;
  readonly now: number;
}

/** Undefined where the case is another one by now: somebody closed, opened or merged it in between. */
async function write(db: Database, given: Writing): Promise<CaseRecord | undefined> {
  const { alarm, again, place, events, at } = given;
  const there = await placeOfAlarm(db, alarm, given);
  if (!isSame(there, place)) return undefined;
  const begun: CaseRecord =
    'case' in there && there.kind !== 'known' ? there.case : newCase(place, alarm, at);
  const subject = place.kind === 'opens' ? place.subject : sha256(alarm.subject);
  const isKept = place.kind !== 'again';
  const fresh = await countQueries(db, { subject, of: begun.id, queries: alarm.queries, isKept });
  let record = withAlarm(begun, alarm, { more: 1 + again, queries: fresh });
  if ('reopens' in place && place.reopens) {
    const { verdict: _, closed: __, ...open } = record;
    record = { ...open, state: 'open', revision: record.revision + 1 };
  }
  record = {
    ...record,
    updated: Math.max(record.updated, at),
    kept: record.kept + (place.kind === 'again' ? 0 : 1),
  };
  if (place.kind === 'opens') await writeCase(db, record, true);
  for (const event of events) record = await addEvent(db, record, event);
  if (place.kind === 'again')
    await db
      .updateTable('alarms')
      .set((row) => ({ again: row('again', '+', 1 + again) }))
      .where('id', '=', place.alarm)
      .execute();
  else
    await db
      .insertInto('alarms')
      .values({
        ...{ id: alarm.id, at: alarm.at, kind: alarm.kind, again },
        case_id: record.id,
        monitor: sha256(alarm.monitor),
        model: sha256(alarm.model),
        subject: sha256(alarm.subject),
        body: JSON.stringify(alarm),
      })
      .execute();
  await writeCase(db, record);
  await linkPrincipals(db, record);
  return record;
}

function isSame(a: AlarmPlace, b: AlarmPlace): boolean {
  const told = (place: AlarmPlace) =>
    place.kind === 'known'
      ? 'known'
      : place.kind === 'opens'
        ? `opens ${place.id}`
        : `${place.kind} ${place.case.id} ${place.reopens}`;
  return told(a) === told(b);
}

function newCase(
  place: Writing['place'],
  { kind, severity, title, first, last, subject }: Alarm,
  at: number,
): CaseRecord {
  const id = place.kind === 'opens' ? place.id : place.case.id;
  const isGathered = place.kind === 'opens' && place.subject !== sha256(subject);
  return {
    ...{ id, kind, severity, first, last },
    title: isGathered ? `more ${kind} alarms than can be told apart` : title,
    state: 'open',
    opened: at,
    updated: at,
    queries: 0,
    alarms: 0,
    models: [],
    principals: [],
    atlas: [],
    revision: 0,
    events: 0,
    kept: 0,
  };
}

/** Says which case a subject has, and how many of the queries are new for it: alarms about the same count the same queries again. */
async function countQueries(
  db: Database,
  {
    subject,
    of,
    queries,
    isKept,
  }: { readonly subject: string; readonly of: string; readonly queries: number; readonly isKept: boolean },
): Promise<number> {
  const row = await db
    .selectFrom('case_subjects')
    .selectAll()
    .where('subject', '=', subject)
    .executeTakeFirst();
  if (!row) {
    // What is only counted leaves no row: subjects are as many as a caller likes.
    if (isKept) await db.insertInto('case_subjects').values({ subject, case_id: of, queries }).execute();
    return queries;
  }
  const before = row.case_id === of ? Number(row.queries) : 0;
  const after = Math.max(before, queries);
  await db
    .updateTable('case_subjects')
    .set({ case_id: of, queries: after })
    .where('subject', '=', subject)
    .execute();
  return after - before;
}
