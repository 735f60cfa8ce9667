import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Measures against whatever goes on: those in force and those that were. */
export const orders: Migration = {
  name: '010-orders',
  async up({ table, db, types: { text, whole } }) {
    await table('orders')
      .addColumn('id', text, (c) => c.primaryKey().notNull())
      .addColumn('effect', text, (c) => c.notNull())
      .addColumn('measure', text, (c) => c.notNull())
      .addColumn('case_id', text)
      .addColumn('at', whole, (c) => c.notNull())
      .addColumn('until', whole)
      .addColumn('wish', text, (c) => c.notNull())
      .addColumn('changed', text)
      .addColumn('ended', whole)
      .addColumn('ended_by', text)
      .execute();
    await db.schema
      .createIndex('orders_in_force')
      .unique()
      .on('orders')
      .column('effect')
      .where(sql<boolean>`ended is null`)
      .execute();
    await db.schema.createIndex('orders_at').on('orders').columns(['at', 'id']).execute();
    await db.schema.createIndex('orders_case').on('orders').columns(['case_id', 'at']).execute();
    await db.schema.createIndex('orders_ended').on('orders').column('ended').execute();
  },
};
