import type { Migration } from '../migration.ts';

/** Who may be given keys. */
export const principals: Migration = {
  name: '001-principals',
  async up({ table, types: { text, whole } }) {
    await table('principals')
      .addColumn('id', text, (c) => c.primaryKey().notNull())
      .addColumn('tenant', text, (c) => c.notNull())
      .addColumn('name', text)
      .addColumn('roles', text, (c) => c.notNull().defaultTo('[]'))
      .addColumn('created', whole, (c) => c.notNull())
      .addColumn('changed', whole, (c) => c.notNull())
      .addColumn('disabled', whole)
      .addColumn('note', text)
      .execute();
  },
};
