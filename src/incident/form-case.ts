import type { Alarm } from '../monitor/alarm.ts';
import { sha256 } from './canonical.ts';
import { type CaseRecord, type Database, isWorse, nextCaseId, readCase } from './case-store.ts';
import type { IncidentsConfig } from './config-schema.ts';

const HOUR = 3_600_000;

/** Where an alarm belongs. */
export type AlarmPlace =
  /** It is kept already: it came twice. */
  | { readonly kind: 'known'; readonly case: string }
  /** Like the newest of its monitor in the case, or one too many: it is counted there. */
  | { readonly kind: 'again'; readonly case: CaseRecord; readonly alarm: string; readonly reopens: boolean }
  | { readonly kind: 'joins'; readonly case: CaseRecord; readonly reopens: boolean }
  /** `subject`: what the case is found by; another one than the alarm's where too many cases are new. */
  | { readonly kind: 'opens'; readonly id: string; readonly subject: string };

/**
 * Finds the case of an alarm: the one about the same subject, while it is not closed or was closed lately; one about the same principals and model at about the
 * same time; otherwise a new one, or the one for all that is beyond the limit of new cases.
 */
export async function placeOfAlarm(
  db: Database,
  alarm: Alarm,
  { config, now }: { readonly config: IncidentsConfig; readonly now: number },
): Promise<AlarmPlace> {
  const known = await db.selectFrom('alarms').select('case_id').where('id', '=', alarm.id).executeTakeFirst();
  if (known) return { kind: 'known', case: known.case_id };
  const subject = sha256(alarm.subject);
  const found = (await bySubject(db, subject, alarm, config, now)) ?? (await related(db, alarm, config));
  if (found) return placeIn(db, found, alarm, config);
  const { n } = await db
    .selectFrom('cases')
    .select(({ fn }) => fn.countAll<number | string>().as('n'))
    .where('opened', '>', now - HOUR)
    .executeTakeFirstOrThrow();
  if (Number(n) < config.mostCasesAnHour) return { kind: 'opens', id: await nextCaseId(db, now), subject };
  const rest = sha256(`more than can be told apart\0${alarm.kind}`);
  const gathered = await bySubject(db, rest, alarm, config, now);
  return gathered
    ? placeIn(db, gathered, alarm, config)
    : { kind: 'opens', id: await nextCaseId(db, now), subject: rest };
}

type Found = { readonly record: CaseRecord; readonly reopens: boolean };

async function bySubject(
  db: Database,
  subject: string,
  alarm: Alarm,
  config: IncidentsConfig,
  now: number,
): Promise<Found | undefined> {
  const row = await db
    .selectFrom('case_subjects')
    .select('case_id')
    .where('subject', '=', subject)
    .executeTakeFirst();
  const record = row && (await readCase(db, row.case_id));
  if (!record) return undefined;
  if (record.state !== 'closed') return { record, reopens: false };
  const closed = record.closed ?? record.updated;
  // Late news of what was known when it was closed changes nothing.
  if (alarm.last <= closed) return { record, reopens: false };
  return now - closed <= config.reopenWithin ? { record, reopens: true } : undefined;
}

/** A case of the same kind, not closed, about one of the principals and the model, whose queries lie near those of the alarm. */
async function related(db: Database, alarm: Alarm, config: IncidentsConfig): Promise<Found | undefined> {
  if (alarm.principals.length === 0) return undefined;
  const rows = await db
    .selectFrom('case_principals')
    .innerJoin('cases', 'cases.id', 'case_principals.case_id')
    .select('cases.body')
    .where('case_principals.principal', 'in', alarm.principals.map(sha256))
    .where('cases.state', '<>', 'closed')
    .where('cases.kind', '=', alarm.kind)
    .where('cases.last', '>=', alarm.first - config.relatedWithin)
    .where('cases.first', '<=', alarm.last + config.relatedWithin)
    .orderBy('cases.opened')
    .limit(50)
    .execute();
  const record = rows
    .map(({ body }) => JSON.parse(body) as CaseRecord)
    .find(({ models }) => models.includes(alarm.model));
  return record && { record, reopens: false };
}

async function placeIn(
  db: Database,
  { record, reopens }: Found,
  alarm: Alarm,
  config: IncidentsConfig,
): Promise<AlarmPlace> {
  const rows = db.selectFrom('alarms').select(['id', 'at', 'body']).where('case_id', '=', record.id);
  const newest = await rows
    .where('monitor', '=', sha256(alarm.monitor))
    .where('subject', '=', sha256(alarm.subject))
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirst();
  const worse = newest && isWorse(alarm.severity, (JSON.parse(newest.body) as Alarm).severity);
  if (newest && !worse && Math.abs(alarm.at - Number(newest.at)) < config.repeatAfter)
    return { kind: 'again', case: record, alarm: newest.id, reopens };
  if (record.kept >= config.mostAlarms) {
    const last = newest ?? (await rows.orderBy('at', 'desc').limit(1).executeTakeFirst());
    if (last) return { kind: 'again', case: record, alarm: last.id, reopens };
  }
  return { kind: 'joins', case: record, reopens };
}
