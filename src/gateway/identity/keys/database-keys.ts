import { sql } from 'kysely';
import { GlacisError } from '../../../core/error.ts';
import type { ApiKeyRow, Store } from '../../../store/index.ts';
import { KEY_HASH } from './key-hash.ts';
import type { KeyRecord } from './key-record.ts';
import { type DamagedKey, type KeyAct, type KeySnapshot, type KeyStore, PART } from './key-store.ts';
import { scopeFromList, scopeToList } from './stored-scope.ts';

/** Rows that are asked for at once: what a page takes to be read, some three milliseconds, holds up calls. */
const PAGE = 1000;
/** Parts that one query names. */
const MOST_PARTS = 1000;

/** `versionOfKeys` of some rows. Texts, because sums of times are beyond what a double holds. */
const VERSION = sql<string>`count(*) || ' ' || coalesce(sum(created), 0) || ' ' || coalesce(sum(expires), 0) || ' ' || coalesce(sum(revoked), 0)`;
const OWN_PART = sql<string>`substr(id, 1, ${sql.lit(PART)})`;

/** Keys in the gateway's database, shared by all that use it, read in pages of `page`. */
export function databaseKeys({ db, reader, each, transact }: Store, page = PAGE): KeyStore {
  const snapshot = async (most: number, which?: Which): Promise<KeySnapshot> => {
    const keys: KeyRecord[] = [];
    const damaged: DamagedKey[] = [];
    for await (const rows of pagesOf(reader, most, page, which))
      for (const row of rows) {
        const record = recordOf(row);
        if (record) keys.push(record);
        else damaged.push(timesOf(row));
      }
    const out = await reader
      .selectFrom('principals')
      .select('id')
      .where('disabled', 'is not', null)
      .execute();
    return { keys, damaged, shutOut: out.map(({ id }) => id) };
  };
  return {
    load: (most) => snapshot(most),
    changed: (since, most) => snapshot(most, { since }),
    async parts() {
      const rows = await reader
        .selectFrom('api_keys')
        .select([OWN_PART.as('part'), VERSION.as('version')])
        .groupBy(OWN_PART)
        .execute();
      return new Map(rows.map(({ part, version }) => [part, version]));
    },
    keysIn: (parts, most) => snapshot(most, { parts }),
    async version() {
      const { rows } = await sql<{ readonly keys: string; readonly principals: string }>`
        select
          (select ${VERSION} from api_keys) as keys,
          (select count(*) from principals where disabled is not null) || ' ' ||
            (select coalesce(max(changed), 0) from principals) as principals`.execute(reader);
      return rows[0]!;
    },
    add: (record) =>
      transact(async (trx) => {
        await knownPrincipal(trx, record.principal, record.tenant, record.created);
        await trx.insertInto('api_keys').values(rowOf(record)).execute();
      }),
    replace: (old, expires, record) =>
      transact(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('api_keys')
          .set({ expires, replaced_by: record.id })
          .where('id', '=', old)
          .where('revoked', 'is', null)
          .where('replaced_by', 'is', null)
          .executeTakeFirst();
        if (Number(numUpdatedRows) !== 1)
          throw new GlacisError(
            'option/invalid',
            `key ${old}: expected one in use, got one that has ended or was replaced`,
          );
        await trx.insertInto('api_keys').values(rowOf(record)).execute();
      }),
    async revoke(id, { at, by, because }) {
      const { numUpdatedRows } = await db
        .updateTable('api_keys')
        .set({ revoked: at, revoked_by: by, revoked_because: because ?? null })
        .where('id', '=', id)
        .where('revoked', 'is', null)
        .executeTakeFirst();
      return Number(numUpdatedRows) === 1;
    },
    async used(times) {
      const outcomes = await each(
        times.map(([id, at]) =>
          db.updateTable('api_keys').set({ last_used: at }).where('id', '=', id).compile(),
        ),
      );
      const failed = outcomes.find((outcome) => 'error' in outcome);
      if (failed && 'error' in failed) throw failed.error;
    },
    shutOut: (principal, tenant, isOut, act) =>
      transact(async (trx) => {
        await knownPrincipal(trx, principal, tenant, act.at);
        await trx
          .updateTable('principals')
          .set({ disabled: isOut ? act.at : null, changed: act.at, note: noteOf(act) })
          .where('id', '=', principal)
          .execute();
      }),
  };
}

/** Keys that were made, revoked or replaced since a time, or those of some parts. */
type Which = { readonly since: number } | { readonly parts: readonly string[] };

/** Keys, a page at a time; all of them without `which`. One that is added meanwhile may be missing; the version tells. Errors: `store/unusable`. */
async function* pagesOf(
  reader: Store['reader'],
  most: number,
  page: number,
  which: Which | undefined,
): AsyncGenerator<readonly ApiKeyRow[]> {
  let count = 0;
  for (const query of queriesOf(reader, which))
    for (let after = ''; ; ) {
      const rows = await query.where('id', '>', after).orderBy('id').limit(page).execute();
      count += rows.length;
      if (count > most)
        throw new GlacisError('store/unusable', `keys: expected at most ${most} in the store, got more`);
      yield rows;
      if (rows.length < page) break;
      after = rows.at(-1)!.id;
    }
}

function queriesOf(reader: Store['reader'], which: Which | undefined) {
  const all = reader.selectFrom('api_keys').selectAll();
  if (which === undefined) return [all];
  if ('parts' in which) {
    const { parts } = which;
    const some = Array.from({ length: Math.ceil(parts.length / MOST_PARTS) }, (_, i) =>
      parts.slice(i * MOST_PARTS, (i + 1) * MOST_PARTS),
    );
    return some.map((named) => all.where(OWN_PART, 'in', named));
  }
  const { since } = which;
  return [
    all.where(({ eb, or, selectFrom }) =>
      or([
        eb('created', '>=', since),
        eb('revoked', '>=', since),
        eb('replaced_by', 'in', selectFrom('api_keys').select('id').where('created', '>=', since)),
      ]),
    ),
  ];
}

type Transaction = Parameters<Parameters<Store['transact']>[0]>[0];

/** Adds a principal where it is new. A name belongs to one tenant: budgets count by it. */
async function knownPrincipal(trx: Transaction, id: string, tenant: string, at: number): Promise<void> {
  const known = await trx.selectFrom('principals').select('tenant').where('id', '=', id).executeTakeFirst();
  if (known === undefined) {
    await trx
      .insertInto('principals')
      .values({ id, tenant, roles: '[]', created: at, changed: at })
      .execute();
    return;
  }
  if (known.tenant !== tenant)
    throw new GlacisError(
      'option/invalid',
      `principal '${id}': expected the tenant that it belongs to, got '${tenant}'`,
    );
}

function noteOf({ by, because }: KeyAct): string {
  return because === undefined ? `by ${by}` : `by ${by}: ${because}`;
}

function rowOf(record: KeyRecord): ApiKeyRow {
  const { id, hash, principal, tenant, created } = record;
  return {
    id,
    hash,
    algorithm: KEY_HASH,
    name: record.name ?? null,
    principal,
    tenant,
    roles: JSON.stringify(record.roles),
    scopes: JSON.stringify(scopeToList(record.scope)),
    created,
    created_by: record.createdBy,
    not_before: record.notBefore ?? null,
    expires: record.expires ?? null,
    last_used: record.lastUsed ?? null,
    revoked: record.revoked ?? null,
    revoked_by: record.revokedBy ?? null,
    revoked_because: record.revokedBecause ?? null,
    replaced_by: record.replacedBy ?? null,
  };
}

/** Undefined for a row that this program does not understand: no key, rather than one that may do something else than it was made for. */
function recordOf(row: ApiKeyRow): KeyRecord | undefined {
  const scope = scopeFromList(jsonOf(row.scopes));
  const roles = jsonOf(row.roles);
  const isWhole =
    row.algorithm === KEY_HASH &&
    /^[0-9a-f]{64}$/.test(row.hash) &&
    Array.isArray(roles) &&
    roles.every((role) => typeof role === 'string');
  if (!isWhole || scope === undefined) return undefined;
  const { hash, principal, tenant } = row;
  return {
    ...timesOf(row),
    hash,
    name: row.name ?? undefined,
    principal,
    tenant,
    roles,
    scope,
    createdBy: row.created_by,
    notBefore: row.not_before ?? undefined,
    lastUsed: row.last_used ?? undefined,
    revokedBy: row.revoked_by ?? undefined,
    revokedBecause: row.revoked_because ?? undefined,
    replacedBy: row.replaced_by ?? undefined,
  };
}

function timesOf({ id, created, expires, revoked }: ApiKeyRow): DamagedKey {
  return { id, created, expires: expires ?? undefined, revoked: revoked ?? undefined };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
