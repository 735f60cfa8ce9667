import { type CompiledQuery, sql } from 'kysely';
import type { ClientDayRow, ClientRollupRow, Store, TrafficRow } from '../../../store/index.ts';
import type { ClientDelta, ClientSums } from './client-counter.ts';
import { ALL, type TrafficTotals } from './traffic-counter.ts';

/** Statements of one write: others wait for it. */
const MOST_AT_ONCE = 200;

/** Makes the statements of one row of traffic, or of one client, when their turn has come. */
export type StatementGroup = () => readonly CompiledQuery[];

/** Makes statements from rows. */
export interface RollupStatements {
  /** Writes a row of traffic: the whole row, so that writing it again changes nothing. */
  traffic(gateway: string, totals: TrafficTotals): StatementGroup;
  /** Adds what a client did: to its sum, to its sum of each model, and to its day. */
  client(delta: ClientDelta, budgetOf: (model: string) => number): StatementGroup;
}

/** Each text is compiled once, because that takes a hundred times as long as filling it in. */
export function rollupStatements({ db }: Pick<Store, 'db'>): RollupStatements {
  const writeTraffic = filledIn<TrafficRow>(
    ['span', 'model', 'at', 'gateway', 'answered', 'refused', 'samples', 'flagged', 'more'],
    (row) =>
      db
        .insertInto('traffic')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['span', 'model', 'at', 'gateway']).doUpdateSet({
            answered: given('answered'),
            refused: given('refused'),
            samples: given('samples'),
            flagged: given('flagged'),
            more: sql<string>`excluded.more`,
          }),
        )
        .compile(),
  );
  const addClient = filledIn<ClientRollupRow>(
    [
      ...(['model', 'principal', 'tenant', 'requests', 'samples', 'refused', 'flagged', 'budget'] as const),
      ...(['first', 'last', 'addresses0', 'addresses1', 'addresses2', 'addresses3'] as const),
    ],
    (row) =>
      db
        .insertInto('clients')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['model', 'principal']).doUpdateSet({
            tenant: sql<string>`excluded.tenant`,
            budget: sql<number>`case when excluded.budget < 0 then clients.budget else excluded.budget end`,
            requests: plus('clients', 'requests'),
            samples: plus('clients', 'samples'),
            refused: plus('clients', 'refused'),
            flagged: plus('clients', 'flagged'),
            first: sql<number>`case when excluded.first < clients.first then excluded.first else clients.first end`,
            last: sql<number>`case when excluded.last > clients.last then excluded.last else clients.last end`,
            addresses0: or('addresses0'),
            addresses1: or('addresses1'),
            addresses2: or('addresses2'),
            addresses3: or('addresses3'),
          }),
        )
        .compile(),
  );
  const addDay = filledIn<ClientDayRow>(
    ['principal', 'at', 'requests', 'samples', 'refused', 'flagged'],
    (row) =>
      db
        .insertInto('client_days')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['principal', 'at']).doUpdateSet({
            requests: plus('client_days', 'requests'),
            samples: plus('client_days', 'samples'),
            refused: plus('client_days', 'refused'),
            flagged: plus('client_days', 'flagged'),
          }),
        )
        .compile(),
  );
  return {
    traffic: (gateway, totals) => () => [writeTraffic({ ...totals, gateway })],
    client: (delta, budgetOf) => () => {
      const { first, last, models, day } = delta;
      const [addresses0, addresses1, addresses2, addresses3] = delta.addresses;
      const [principal, tenant] = [storable(delta.principal), storable(delta.tenant)];
      const shared = { principal, tenant, first, last, addresses0, addresses1, addresses2, addresses3 };
      const row = (model: string, sums: ClientSums, budget: number): CompiledQuery => {
        const { requests, samples, refused, flagged } = sums;
        return addClient({ ...shared, model, requests, samples, refused, flagged, budget });
      };
      // Below zero: nothing new is known.
      let most = -1;
      const own = [...models].map(([model, sums]) => {
        const budget = budgetOf(model);
        most = Math.max(most, budget);
        return row(model, sums, budget);
      });
      const { requests, samples, refused, flagged } = delta;
      return [
        row(ALL, delta, most),
        ...own,
        addDay({ principal, at: day, requests, samples, refused, flagged }),
      ];
    },
  };
}

/**
 * Runs groups of statements, a few hundred at a time, so that nobody waits long for the store. Gives for each group whether all of it was written; of a group none or all
 * count, unless the store fails in the middle of one. Never throws.
 */
export async function writeGroups(
  store: Pick<Store, 'each'>,
  groups: readonly StatementGroup[],
): Promise<readonly (true | unknown)[]> {
  const done: (true | unknown)[] = [];
  for (let from = 0; from < groups.length; ) {
    const batch: CompiledQuery[] = [];
    const lengths: number[] = [];
    while (from + lengths.length < groups.length && batch.length < MOST_AT_ONCE) {
      const own = groups[from + lengths.length]!();
      batch.push(...own);
      lengths.push(own.length);
    }
    from += lengths.length;
    try {
      const outcomes = await store.each(batch);
      let at = 0;
      for (const length of lengths) {
        const wrong = outcomes.slice(at, at + length).find((outcome) => 'error' in outcome);
        at += length;
        done.push(wrong === undefined ? true : (wrong as { error: unknown }).error);
      }
    } catch (thrown) {
      for (const _ of lengths) done.push(thrown);
    }
  }
  return done;
}

/** A statement whose parameters are the fields of a row: compiled once, with a mark in place of each. */
function filledIn<Row extends object>(
  fields: readonly (keyof Row & string)[],
  compile: (row: Row) => CompiledQuery,
): (row: Row) => CompiledQuery {
  const marks = new Map<unknown, keyof Row & string>(fields.map((field) => [`mark of ${field}`, field]));
  const compiled = compile(Object.fromEntries([...marks].map(([mark, field]) => [field, mark])) as Row);
  const order = compiled.parameters.map((mark) => marks.get(mark)!);
  return (row) => ({ ...compiled, parameters: order.map((field) => row[field]) });
}

function given(name: string) {
  return sql<number>`${sql.ref(`excluded.${name}`)}`;
}

function plus(table: string, name: string) {
  return sql<number>`${sql.ref(`${table}.${name}`)} + ${sql.ref(`excluded.${name}`)}`;
}

function or(name: string) {
  return sql<number>`${sql.ref(`clients.${name}`)} | ${sql.ref(`excluded.${name}`)}`;
}

/** PostgreSQL holds no NUL. */
function storable(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}
