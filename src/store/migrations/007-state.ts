import type { Migration } from '../migration.ts';

/** Single values with a name. */
export const state: Migration = {
  name: '007-state',
  async up({ table, types: { text, whole } }) {
    await table('state')
      .addColumn('name', text, (c) => c.primaryKey().notNull())
      .addColumn('value', text, (c) => c.notNull())
      .addColumn('changed', whole, (c) => c.notNull())
      .execute();
  },
};
