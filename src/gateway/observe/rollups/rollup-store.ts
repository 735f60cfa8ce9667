import { type CompiledQuery, sql } from 'kysely';
import type { ClientDayRow, ClientRollupRow, Store, TrafficRow } from '../../../store/index.ts';
import type { ClientDelta, ClientSums } from './client-counter.ts';
import { ALL, type TrafficTotals } from './traffic-counter.ts';

/** Statements of one write: others wait for it. */
const MOST_AT_ONCE = 200;

/** The statement that writes a row of traffic: the whole row, so that writing it again changes nothing. */
export function trafficStatement({ db }: Store, gateway: string, totals: TrafficTotals): CompiledQuery {
  const row: TrafficRow = { ...totals, gateway };
  const { answered, refused, samples, flagged, more } = row;
  return db
    .insertInto('traffic')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['span', 'model', 'at', 'gateway'])
        .doUpdateSet({ answered, refused, samples, flagged, more }),
    )
    .compile();
}

/** The statements that add what a client did: to its sum, to its sum of each model, and to its day. */
export function clientStatements(
  store: Store,
  delta: ClientDelta,
  budgetOf: (model: string) => number,
): readonly CompiledQuery[] {
  const { db } = store;
  const { first, last, addresses, models, day } = delta;
  const [principal, tenant] = [storable(delta.principal), storable(delta.tenant)];
  const [addresses0, addresses1, addresses2, addresses3] = addresses;
  const plus = (name: string) => sql<number>`${sql.ref(`clients.${name}`)} + ${sql.ref(`excluded.${name}`)}`;
  const or = (name: string) => sql<number>`${sql.ref(`clients.${name}`)} | ${sql.ref(`excluded.${name}`)}`;
  const shares = new Map([...models.keys()].map((model) => [model, budgetOf(model)]));
  const most = Math.max(0, ...shares.values());
  const upsert = (model: string, sums: ClientSums, budget: number) => {
    const { requests, samples, refused, flagged } = sums;
    const row: ClientRollupRow = {
      ...{ model, principal, tenant, requests, samples, refused, flagged, budget, first, last },
      ...{ addresses0, addresses1, addresses2, addresses3 },
    };
    return db
      .insertInto('clients')
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(['model', 'principal']).doUpdateSet({
          tenant,
          budget: models.size === 0 ? sql<number>`clients.budget` : budget,
          requests: plus('requests'),
          samples: plus('samples'),
          refused: plus('refused'),
          flagged: plus('flagged'),
          first: sql<number>`case when excluded.first < clients.first then excluded.first else clients.first end`,
          last: sql<number>`case when excluded.last > clients.last then excluded.last else clients.last end`,
          addresses0: or('addresses0'),
          addresses1: or('addresses1'),
          addresses2: or('addresses2'),
          addresses3: or('addresses3'),
        }),
      )
      .compile();
  };
  const { requests, samples, refused, flagged } = delta;
  const dayRow: ClientDayRow = { principal, at: day, requests, samples, refused, flagged };
  const dayPlus = (name: string) =>
    sql<number>`${sql.ref(`client_days.${name}`)} + ${sql.ref(`excluded.${name}`)}`;
  return [
    upsert(ALL, delta, most),
    ...[...models].map(([model, sums]) => upsert(model, sums, shares.get(model)!)),
    db
      .insertInto('client_days')
      .values(dayRow)
      .onConflict((conflict) =>
        conflict.columns(['principal', 'at']).doUpdateSet({
          requests: dayPlus('requests'),
          samples: dayPlus('samples'),
          refused: dayPlus('refused'),
          flagged: dayPlus('flagged'),
        }),
      )
      .compile(),
  ];
}

/**
 * Runs groups of statements, a few hundred at a time, so that nobody waits long for the store. Gives for each group whether all of it was written; of a group none or all
 * count, unless the store fails in the middle of one. Never throws.
 */
export async function writeGroups(
  store: Store,
  groups: readonly (readonly CompiledQuery[])[],
): Promise<readonly (true | unknown)[]> {
  const done: (true | unknown)[] = [];
  for (let from = 0; from < groups.length; ) {
    const batch: CompiledQuery[] = [];
    let to = from;
    while (to < groups.length && (batch.length === 0 || batch.length + groups[to]!.length <= MOST_AT_ONCE))
      batch.push(...groups[to++]!);
    try {
      const outcomes = await store.each(batch);
      let at = 0;
      for (; from < to; from++) {
        const own = outcomes.slice(at, at + groups[from]!.length);
        at += own.length;
        const wrong = own.find((outcome) => 'error' in outcome);
        done.push(wrong === undefined ? true : (wrong as { error: unknown }).error);
      }
    } catch (thrown) {
      for (; from < to; from++) done.push(thrown);
    }
  }
  return done;
}

/** PostgreSQL holds no NUL. */
function storable(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}
