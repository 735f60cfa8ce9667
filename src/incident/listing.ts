import { sql } from 'kysely';
import type { Alarm } from '../monitor/alarm.ts';
import { sha256 } from './canonical.ts';
import type { Case, CaseState } from './case.ts';
import { type CaseRecord, caseOf, type Database } from './case-store.ts';
import { searchable } from './text.ts';

/** A page; `next` is what to ask for as `before`, undefined at the end. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next?: string | undefined;
}

/** Which cases; all that is given must hold. */
export interface CaseQuery {
  readonly state?: CaseState | undefined;
  readonly kind?: string | undefined;
  /** Part of the id, the title, a model's or a principal's name; small and capital letters alike. */
  readonly find?: string | undefined;
  readonly before?: string | undefined;
  readonly most?: number | undefined;
}

/** Which alarms; all that is given must hold. */
export interface AlarmQuery {
  readonly model?: string | undefined;
  readonly kind?: string | undefined;
  readonly case?: string | undefined;
  readonly before?: string | undefined;
  readonly most?: number | undefined;
}

const MOST_LISTED = 500;

/** Cases, the one that changed last first. */
export async function listCases(
  db: Database,
  { state, kind, find, before, most }: CaseQuery,
): Promise<Page<Case>> {
  const limit = limitOf(most);
  let query = db.selectFrom('cases').select(['id', 'updated', 'body']);
  if (state !== undefined) query = query.where('state', '=', state);
  if (kind !== undefined) query = query.where('kind', '=', searchable(kind));
  if (find !== undefined && find !== '') {
    const pattern = `%${searchable(find.slice(0, 200)).replace(/[!%_]/g, '!$&')}%`;
    query = query.where(sql<boolean>`words like ${pattern} escape '!'`);
  }
  const after = cursorOf(before);
  if (after !== undefined)
    query = query.where(sql<boolean>`(updated, id) < (${sql.lit(after.at)}, ${after.id})`);
  const rows = await query
    .orderBy('updated', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  return pageOf(
    rows,
    limit,
    ({ body }) => caseOf(JSON.parse(body) as CaseRecord),
    (row) => Number(row.updated),
  );
}

/** Alarms, the newest first. */
export async function listAlarms(
  db: Database,
  { model, kind, case: of, before, most }: AlarmQuery,
): Promise<Page<Alarm>> {
  const limit = limitOf(most);
  let query = db.selectFrom('alarms').select(['id', 'at', 'body']);
  if (of !== undefined) query = query.where('case_id', '=', searchable(of).toUpperCase());
  if (model !== undefined) query = query.where('model', '=', sha256(model));
  if (kind !== undefined) query = query.where('kind', '=', searchable(kind));
  const after = cursorOf(before);
  if (after !== undefined) query = query.where(sql<boolean>`(at, id) < (${sql.lit(after.at)}, ${after.id})`);
  const rows = await query
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  return pageOf(
    rows,
    limit,
    ({ body }) => JSON.parse(body) as Alarm,
    (row) => Number(row.at),
  );
}

/** Cases of a principal, the one that changed last first; 100 at most. */
export async function casesOfPrincipal(db: Database, principal: string): Promise<readonly Case[]> {
  const rows = await db
    .selectFrom('case_principals')
    .innerJoin('cases', 'cases.id', 'case_principals.case_id')
    .select('cases.body')
    .where('case_principals.principal', '=', sha256(principal))
    .orderBy('cases.updated', 'desc')
    .limit(100)
    .execute();
  return rows.map(({ body }) => caseOf(JSON.parse(body) as CaseRecord));
}

function limitOf(most: number | undefined): number {
  return Math.max(1, Math.min(MOST_LISTED, Math.floor(most ?? 100) || 1));
}

/** Where a page begins; anything else is the beginning of all. */
function cursorOf(before: string | undefined): { readonly at: number; readonly id: string } | undefined {
  const [, at, id] = /^(\d{1,16})\.([\w-]{1,64})$/.exec(before ?? '') ?? [];
  return at === undefined ? undefined : { at: Number(at), id: id! };
}

function pageOf<Row extends { readonly id: string }, Out>(
  rows: readonly Row[],
  limit: number,
  shown: (row: Row) => Out,
  timeOf: (row: Row) => number,
): Page<Out> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    rows: page.map(shown),
    ...(rows.length > limit && last !== undefined && { next: `${timeOf(last)}.${last.id}` }),
  };
}
