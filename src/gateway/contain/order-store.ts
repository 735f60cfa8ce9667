import { sql, type Transaction } from 'kysely';
import { GlacisError } from '../../core/error.ts';
import type { OrderRow, Store, Tables } from '../../store/index.ts';
import { orderFrom, rowFrom, type StoredOrder } from './order-row.ts';

/** Measures that can be in force at once. */
export const MOST_IN_FORCE = 10_000;
const MOST_LISTED = 1000;
/** The row of `state` that counts changes: every gateway looks at it. */
const REVISION = 'orders.revision';

/** Measures in the store. Errors of everything in it: those of the store. */
export interface OrderStore {
  /** Counts changes: another number means that something is to be read again. */
  revision(): Promise<number>;
  inForce(): Promise<readonly StoredOrder[]>;
  list(query: {
    readonly case?: string | undefined;
    readonly most?: number | undefined;
  }): Promise<readonly StoredOrder[]>;
  find(id: string): Promise<StoredOrder | undefined>;
  /** The one in force with this effect. */
  withEffect(effect: string): Promise<StoredOrder | undefined>;
  /** Puts a measure in force, in place of `replaces` where that is given. What another gateway put in force meanwhile comes back in its place. Errors: `option/invalid` for one too many. */
  put(order: StoredOrder, replaces: string | undefined): Promise<StoredOrder>;
  /** Ends one; false where it had ended. */
  end(id: string, ended: number, by: string): Promise<boolean>;
}

/** Measures in the table `orders`. */
export function orderStore(store: Store): OrderStore {
  const { db } = store;
  const found = (row: OrderRow | undefined) => (row === undefined ? undefined : orderFrom(row));
  return {
    async revision() {
      const row = await db
        .selectFrom('state')
        .select('value')
        .where('name', '=', REVISION)
        .executeTakeFirst();
      return row === undefined ? 0 : Number(row.value);
    },
    async inForce() {
      const rows = await db
        .selectFrom('orders')
        .selectAll()
        .where('ended', 'is', null)
        .orderBy('at', 'desc')
        .orderBy('id')
        .limit(MOST_IN_FORCE)
        .execute();
      return rows.map(orderFrom);
    },
    async list({ case: of, most = 100 }) {
      let query = db.selectFrom('orders').selectAll();
      if (of !== undefined) query = query.where('case_id', '=', of);
      const limit = Math.max(1, Math.min(MOST_LISTED, Math.floor(most)));
      const rows = await query.orderBy('at', 'desc').orderBy('id').limit(limit).execute();
      return rows.map(orderFrom);
    },
    find: async (id) =>
      found(await db.selectFrom('orders').selectAll().where('id', '=', id).executeTakeFirst()),
    withEffect: async (effect) =>
      found(
        await db
          .selectFrom('orders')
          .selectAll()
          .where('effect', '=', effect)
          .where('ended', 'is', null)
          .executeTakeFirst(),
      ),
    put: (stored, replaces) =>
      store.transact(async (trx) => {
        const other = await trx
          .selectFrom('orders')
          .selectAll()
          .where('effect', '=', stored.effect)
          .where('ended', 'is', null)
          .executeTakeFirst();
        if (other !== undefined && other.id !== replaces) return orderFrom(other);
        const { n } = await trx
          .selectFrom('orders')
          .where('ended', 'is', null)
          .select(({ fn }) => fn.countAll<number | string>().as('n'))
          .executeTakeFirstOrThrow();
        if (Number(n) >= MOST_IN_FORCE)
          throw new GlacisError(
            'option/invalid',
            `orders: expected at most ${MOST_IN_FORCE} in force; lift some first`,
          );
        const row = rowFrom(stored);
        if (other !== undefined)
          await trx
            .updateTable('orders')
            .set({ ended: row.at, ended_by: JSON.stringify(stored.order.by) })
            .where('id', '=', other.id)
            .execute();
        await trx.insertInto('orders').values(row).execute();
        await advance(trx, row.at);
        return stored;
      }),
    end: (id, ended, by) =>
      store.transact(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('orders')
          .set({ ended, ended_by: JSON.stringify(by) })
          .where('id', '=', id)
          .where('ended', 'is', null)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows === 0n) return false;
        await advance(trx, ended);
        return true;
      }),
  };
}

/** Lets every gateway see that something changed. */
async function advance(trx: Transaction<Tables>, now: number): Promise<void> {
  await trx
    .insertInto('state')
    .values({ name: REVISION, value: '1', changed: now })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ value: sql`cast(cast(state.value as integer) + 1 as text)`, changed: now }),
    )
    .execute();
}
