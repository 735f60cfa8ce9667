import type { Migration } from '../migration.ts';

/** Management acts and the like. */
export const events: Migration = {
  name: '006-events',
  async up({ table, db, types: { text, whole } }) {
    await table('events')
      .addColumn('id', text, (c) => c.primaryKey().notNull())
      .addColumn('at', whole, (c) => c.notNull())
      .addColumn('event', text, (c) => c.notNull())
      .addColumn('actor', text, (c) => c.notNull())
      .addColumn('about', text, (c) => c.notNull().defaultTo('{}'))
      .addColumn('entry', whole)
      .execute();
    await db.schema.createIndex('events_at').on('events').column('at').execute();
  },
};
