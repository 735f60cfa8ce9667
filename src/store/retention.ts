import { sql } from 'kysely';
import { z } from 'zod';
import type { Store } from './open-store.ts';
import { PRIMARY_KEYS, type TableName } from './primary-keys.ts';
import { timeSpan } from './time-span.ts';

/** Rows deleted by one statement, so that nobody waits long. */
const PAGE = 500;

const HOUR = 3_600_000;

/** How long sums of the traffic over a minute, ten minutes and an hour are kept, as spans and times: those over a day hold all of them. */
const FINER = [
  [HOUR / 60, 8 * HOUR],
  [HOUR / 6, 4 * 24 * HOUR],
  [HOUR, 60 * 24 * HOUR],
] as const;

const span = (days: number, what: string) => timeSpan.default(days * 86_400_000).describe(what);

/** `serve.retention`: how long rows are kept that nothing needs any more. The log has its own. */
export const retentionSchema = z.strictObject({
  logIndex: span(400, 'Rows of the index of the log; the log itself is not touched.'),
  events: span(400, 'Management acts; the log has them, too.'),
  reviews: span(400, 'Decisions that a person has decided.'),
  incidents: span(800, 'Cases, after they were closed, with their alarms and searches.'),
  keys: span(400, 'Keys, after they expired or were revoked.'),
  alerts: span(100, 'Messages about cases, after they were sent or given up.'),
  sessions: span(100, 'Who was signed in to the console, after it ended.'),
  orders: span(400, 'Measures, after they ended; the log has them, too.'),
  traffic: span(400, 'Sums of the traffic by day; finer ones go earlier.'),
  clients: span(400, 'Sums of a client, after its last call.'),
});

/** What {@link retentionSchema} reads. */
export type RetentionConfig = z.output<typeof retentionSchema>;

/**
 * Deletes rows that are older than the policy keeps them, and budgets of which nothing counts any more; gives how many of each table.
 * `budgetTime` is the time that budgets go by. Errors: those of the store.
 */
export async function sweepStore(
  store: Store,
  keep: RetentionConfig,
  { now, budgetTime }: { readonly now: number; readonly budgetTime?: number | undefined },
): Promise<Readonly<Partial<Record<TableName, number>>>> {
  const old = (span: number) => sql.lit(now - span);
  const ofNoCase = sql`case_id not in (select id from cases)`;
  const rules: readonly (readonly [TableName, ReturnType<typeof sql>])[] = [
    ['log_index', sql`at < ${old(keep.logIndex)}`],
    ['events', sql`at < ${old(keep.events)}`],
    ['reviews', sql`state <> 'open' and decided < ${old(keep.reviews)}`],
    ['alerts', sql`state <> 'waiting' and at < ${old(keep.alerts)}`],
    ['sessions', sql`ends < ${old(keep.sessions)}`],
    ['links', sql`ends < ${old(keep.sessions)}`],
    ['orders', sql`ended < ${old(keep.orders)}`],
    ...FINER.map(
      ([span, kept]) =>
        ['traffic', sql`span = ${sql.lit(span)} and at < ${old(Math.min(kept, keep.traffic))}`] as const,
    ),
    ['traffic', sql`at < ${old(keep.traffic)}`],
    ['clients', sql`last < ${old(keep.clients)}`],
    ['client_days', sql`at < ${old(keep.clients)}`],
    ['cases', sql`state = 'closed' and updated < ${old(keep.incidents)}`],
    ['alarms', sql`at < ${old(keep.incidents)} and ${ofNoCase}`],
    ['case_events', sql`at < ${old(keep.incidents)} and ${ofNoCase}`],
    ['case_subjects', ofNoCase],
    ['case_principals', ofNoCase],
    ['impacts', sql`state <> 'running' and at < ${old(keep.incidents)} and (case_id is null or ${ofNoCase})`],
    ['impact_rows', sql`impact not in (select id from impacts)`],
    ['api_keys', sql`(expires < ${old(keep.keys)} or revoked < ${old(keep.keys)})`],
    ...(budgetTime === undefined ? [] : [['budgets', sql`ends < ${sql.lit(budgetTime)}`] as const]),
  ];
  const gone: Partial<Record<TableName, number>> = {};
  for (const [table, rule] of rules)
    gone[table] = (gone[table] ?? 0) + (await deleteWhere(store, table, rule));
  return gone;
}

async function deleteWhere(store: Store, table: TableName, rule: ReturnType<typeof sql>): Promise<number> {
  const name = sql.table(table);
  const keys = sql.join(PRIMARY_KEYS[table].map((key) => sql.ref(key)));
  for (let total = 0; ; ) {
    const { numAffectedRows = 0n } =
      await sql`delete from ${name} where (${keys}) in (select ${keys} from ${name} where ${rule} limit ${sql.lit(PAGE)})`.execute(
        store.db,
      );
    total += Number(numAffectedRows);
    if (numAffectedRows < PAGE) return total;
  }
}

/** Bytes that the store takes on its disk. Errors: those of the store. */
export async function storeBytes(store: Store): Promise<number> {
  const query =
    store.engine === 'sqlite'
      ? sql<{
          bytes: number;
        }>`select p.page_count * s.page_size as bytes from pragma_page_count() p, pragma_page_size() s`
      : sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`;
  return (await query.execute(store.db)).rows[0]!.bytes;
}
