import { type SqlBool, sql } from 'kysely';
import { GlacisError } from '../../../core/error.ts';
import type { ClientRollupRow, Store } from '../../../store/index.ts';
import type { Page } from '../../console/api.ts';
import { OTHERS } from './client-counter.ts';
import { countAddresses } from './distinct.ts';
import { ALL } from './traffic-counter.ts';

/** What clients can be put in order by, the most first. */
export const CLIENT_ORDERS = ['requests', 'refused', 'flagged', 'budget'] as const;
/** One of {@link CLIENT_ORDERS}. */
export type ClientOrder = (typeof CLIENT_ORDERS)[number];

const DAY = 86_400_000;
const MOST_ROWS = 200;
const MOST_DAYS = 90;
/** Clients that are looked up by name. */
const MOST_NAMED = 1000;

/** Which clients. */
export interface ClientQuery {
  readonly model?: string | undefined;
  /** A part of the principal's or the tenant's name. */
  readonly find?: string | undefined;
  readonly sort?: ClientOrder | undefined;
  /** As the page before gave it. */
  readonly before?: string | undefined;
  readonly most?: number | undefined;
}

/** A client's sums, since it was first seen. */
export interface ClientTotals {
  readonly principal: string;
  readonly tenant: string;
  readonly requests: number;
  readonly samples: number;
  readonly refused: number;
  readonly flagged: number;
  readonly first: number;
  readonly last: number;
  readonly addresses: number;
}

/** Reads sums of clients: of all gateways of the store, up to a few seconds ago. Errors: those of the store. */
export function clientQueries({ reader, engine }: Pick<Store, 'reader' | 'engine'>) {
  return {
    /** Clients, the most first; a page is found by an index, wherever it lies. Errors: `option/invalid` for a `before` that no page gave. */
    async page({
      model = ALL,
      find,
      sort = 'requests',
      before,
      most = 50,
    }: ClientQuery): Promise<Page<ClientTotals>> {
      const limit = Math.max(1, Math.min(MOST_ROWS, Math.floor(most)));
      let query = reader
        .selectFrom('clients')
        .selectAll()
        .where('model', '=', model)
        .where('principal', '<>', OTHERS);
      if (find !== undefined && find !== '') {
        const part = `%${find.replace(/[\\%_]/g, '\\$&')}%`;
        // Either case of letters: SQLite's LIKE does not tell them apart.
        const like = sql.raw(engine === 'sqlite' ? 'like' : 'ilike');
        const isNamed = sql<SqlBool>`(principal ${like} ${part} escape '\\' or tenant ${like} ${part} escape '\\')`;
        const named = await reader
          .selectFrom('clients')
          .select('principal')
          .where('model', '=', model)
          .where(isNamed)
          .limit(MOST_NAMED + 1)
          .execute();
        if (named.length === 0) return { rows: [] };
        // A part that many names have is met soon in the order that is asked for.
        query =
          named.length > MOST_NAMED
            ? query.where(isNamed)
            : query.where(
                'principal',
                'in',
                named.map(({ principal }) => principal),
              );
      }
      if (before !== undefined) {
        const [value, principal] = cursorFrom(before);
        query = query.where(sql<SqlBool>`(${sql.ref(sort)}, principal) < (${value}, ${principal})`);
      }
      const rows = await query
        .orderBy(sort, 'desc')
        .orderBy('principal', 'desc')
        .limit(limit + 1)
        .execute();
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return {
        rows: shown.map(totalsOf),
        ...(rows.length > limit && last !== undefined && { next: cursorOf(last[sort], last.principal) }),
      };
    },
    /** One client; undefined where it was never seen. */
    async client(principal: string): Promise<ClientTotals | undefined> {
      const row = await reader
        .selectFrom('clients')
        .selectAll()
        .where('model', '=', ALL)
        .where('principal', '=', principal)
        .executeTakeFirst();
      return row && totalsOf(row);
    },
    /** The models that these clients asked. */
    async models(principals: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
      const found = new Map<string, string[]>();
      if (principals.length === 0) return found;
      const rows = await reader
        .selectFrom('clients')
        .select(['principal', 'model'])
        .where('principal', 'in', [...principals])
        .where('model', '<>', ALL)
        .execute();
      for (const { principal, model } of rows) found.set(principal, [...(found.get(principal) ?? []), model]);
      return found;
    },
    /** Days of a client, the oldest first. */
    async days(
      principal: string,
    ): Promise<readonly (readonly [at: number, samples: number, refused: number])[]> {
      const rows = await reader
        .selectFrom('client_days')
        .select(['at', 'samples', 'refused'])
        .where('principal', '=', principal)
        .orderBy('at', 'desc')
        .limit(MOST_DAYS)
        .execute();
      return rows.map(({ at, samples, refused }) => [at, samples, refused] as const).reverse();
    },
    /** Samples in the last 24 hours of these clients, the day before as far as it counts. */
    async lastDay(principals: readonly string[], now: number): Promise<ReadonlyMap<string, number>> {
      const today = now - (now % DAY);
      const found = new Map<string, number>();
      if (principals.length === 0) return found;
      const rows = await reader
        .selectFrom('client_days')
        .select(['principal', 'at', 'samples'])
        .where('principal', 'in', [...principals])
        .where('at', '>=', today - DAY)
        .execute();
      const rest = 1 - (now - today) / DAY;
      for (const { principal, at, samples } of rows)
        found.set(principal, (found.get(principal) ?? 0) + (at === today ? samples : samples * rest));
      return found;
    },
  };
}

function totalsOf(row: ClientRollupRow): ClientTotals {
  const { principal, tenant, requests, samples, refused, flagged, first, last } = row;
  const addresses = countAddresses([row.addresses0, row.addresses1, row.addresses2, row.addresses3]);
  return { principal, tenant, requests, samples, refused, flagged, first, last, addresses };
}

function cursorOf(value: number, principal: string): string {
  return Buffer.from(JSON.stringify([value, principal])).toString('base64url');
}

/** `text` is attacker-controlled. */
function cursorFrom(text: string): readonly [number, string] {
  try {
    const [value, principal, ...rest] = JSON.parse(
      Buffer.from(text, 'base64url').toString('utf8'),
    ) as unknown[];
    if (typeof value === 'number' && typeof principal === 'string' && rest.length === 0)
      return [value, principal.replaceAll('\0', '')];
  } catch {
    // Said below.
  }
  throw new GlacisError('option/invalid', '?before=: expected what the page before gave as next');
}
