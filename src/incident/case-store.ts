import { type Kysely, sql, type Transaction } from 'kysely';
import type { Alarm, AlarmSeverity } from '../monitor/alarm.ts';
import { ALARM_SEVERITIES } from '../monitor/alarm.ts';
import type { CaseRow, Tables } from '../store/index.ts';
import { sha256 } from './canonical.ts';
import type { Case, CaseEvent } from './case.ts';
import { searchable } from './text.ts';

/** A connection or a transaction. */
export type Database = Kysely<Tables> | Transaction<Tables>;

/** A case as the store has it. */
export interface CaseRecord extends Omit<Case, 'containedAfter'> {
  /** Events so far: the next has the number after it. */
  readonly events: number;
  /** Alarms that are kept one by one. */
  readonly kept: number;
  /** When the first measure came into force. */
  readonly containedAt?: number | undefined;
}

const MOST_PRINCIPALS = 256;
const MOST_LIST = 64;
/** Events that are shown of a case, the newest. */
const MOST_EVENTS = 2000;
const MOST_ALARMS = 10_000;

/** Whether `a` is worse than `b`. */
export function isWorse(a: AlarmSeverity, b: AlarmSeverity): boolean {
  return ALARM_SEVERITIES.indexOf(a) < ALARM_SEVERITIES.indexOf(b);
}

/** A case as others see it. */
export function caseOf({ events: _, kept: __, containedAt, ...rest }: CaseRecord): Case {
  return containedAt === undefined
    ? rest
    : { ...rest, containedAfter: Math.max(0, containedAt - rest.first) };
}

/** A case; undefined where there is none. */
export async function readCase(db: Database, id: string): Promise<CaseRecord | undefined> {
  if (!/^C-\d{4}-\d{4,12}$/.test(id)) return undefined;
  const row = await db.selectFrom('cases').select('body').where('id', '=', id).executeTakeFirst();
  return row && (JSON.parse(row.body) as CaseRecord);
}

/** Writes a case, new or changed. `C-2026-0007` says year and number. */
export async function writeCase(db: Database, record: CaseRecord, isNew = false): Promise<void> {
  const { id, kind, severity, state, opened, updated, first, last, revision } = record;
  const [, year, number] = id.split('-').map(Number);
  const words = searchable([id, record.title, ...record.models, ...record.principals].join('\n')).slice(
    0,
    20_000,
  );
  const row: CaseRow = {
    ...{ id, kind, severity, state, opened, updated, first, last, revision, words },
    year: year!,
    number: number!,
    body: JSON.stringify(record),
  };
  if (isNew) await db.insertInto('cases').values(row).execute();
  else await db.updateTable('cases').set(row).where('id', '=', id).execute();
}

/** The id of the next case of a year. */
export async function nextCaseId(db: Database, at: number): Promise<string> {
  const year = new Date(at).getUTCFullYear();
  const { rows } = await sql<{
    n: number | null;
  }>`select max(number) as n from cases where year = ${sql.lit(year)}`.execute(db);
  return `C-${year}-${String(Number(rows[0]?.n ?? 0) + 1).padStart(4, '0')}`;
}

/** Adds an event; gives the case with one more. */
export async function addEvent(
  db: Database,
  record: CaseRecord,
  { id, at, by, what, entry }: CaseEvent,
): Promise<CaseRecord> {
  const events = record.events + 1;
  // The alarm itself has a table of its own.
  const body = what.kind === 'alarm' ? { kind: what.kind } : what;
  await db
    .insertInto('case_events')
    .values({
      ...{ id, at, entry: entry ?? null, kind: what.kind },
      case_id: record.id,
      seq: events,
      actor: JSON.stringify(by),
      word: wordOf(what) ?? null,
      body: JSON.stringify(body),
    })
    .execute();
  return { ...record, events, updated: Math.max(record.updated, at) };
}

function wordOf(what: CaseEvent['what']): string | undefined {
  switch (what.kind) {
    case 'alarm':
      return what.alarm.id;
    case 'asked':
    case 'approved':
    case 'declined':
      return what.act;
    case 'measure':
    case 'lifted':
      return `${what.kind}:${what.order}`;
    default:
      return undefined;
  }
}

/** Says whose case it is, too. */
export async function linkPrincipals(db: Database, record: CaseRecord): Promise<void> {
  if (record.principals.length === 0) return;
  await db
    .insertInto('case_principals')
    .values(record.principals.map((principal) => ({ principal: sha256(principal), case_id: record.id })))
    .onConflict((c) => c.columns(['principal', 'case_id']).doNothing())
    .execute();
}

/** A case with one more alarm in it, or `more` alarms that are only counted. */
export function withAlarm(
  record: CaseRecord,
  alarm: Alarm,
  { more, queries }: { readonly more: number; readonly queries: number },
): CaseRecord {
  const union = (a: readonly string[], b: readonly string[], most: number) =>
    [...new Set([...a, ...b])].slice(0, most);
  return {
    ...record,
    severity: isWorse(alarm.severity, record.severity) ? alarm.severity : record.severity,
    title: isWorse(alarm.severity, record.severity) ? alarm.title : record.title,
    first: Math.min(record.first, alarm.first),
    last: Math.max(record.last, alarm.last),
    queries: record.queries + queries,
    alarms: record.alarms + more,
    models: union(record.models, alarm.model === '' ? [] : [alarm.model], MOST_LIST),
    principals: union(record.principals, alarm.principals, MOST_PRINCIPALS),
    atlas: union(record.atlas, alarm.atlas, MOST_LIST),
  };
}

/** What happened in a case, in order, with its alarms; the newest 2,000 events. */
export async function readEvents(
  db: Database,
  id: string,
): Promise<{ readonly events: readonly CaseEvent[]; readonly alarms: readonly Alarm[] }> {
  const [events, alarms] = [
    await db
      .selectFrom('case_events')
      .selectAll()
      .where('case_id', '=', id)
      .orderBy('seq', 'desc')
      .limit(MOST_EVENTS)
      .execute(),
    await db
      .selectFrom('alarms')
      .select(['id', 'again', 'body'])
      .where('case_id', '=', id)
      .orderBy('at')
      .orderBy('id')
      .limit(MOST_ALARMS)
      .execute(),
  ];
  const byId = new Map(
    alarms.map(({ id, again, body }) => [id, { alarm: JSON.parse(body) as Alarm, again: Number(again) }]),
  );
  return {
    alarms: [...byId.values()].map(({ alarm }) => alarm),
    events: events.reverse().flatMap((row): CaseEvent[] => {
      const { kind } = row;
      const found = kind === 'alarm' ? byId.get(row.word ?? '') : undefined;
      if (kind === 'alarm' && found === undefined) return [];
      return [
        {
          id: row.id,
          case: id,
          at: Number(row.at),
          by: JSON.parse(row.actor) as string,
          what: found ? { kind: 'alarm', ...found } : (JSON.parse(row.body) as CaseEvent['what']),
          ...(row.entry !== null && { entry: Number(row.entry) }),
        },
      ];
    }),
  };
}
