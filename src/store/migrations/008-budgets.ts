import type { Migration } from '../migration.ts';

/** Query budgets over weeks. */
export const budgets: Migration = {
  name: '008-budgets',
  async up({ table, db, types: { text, whole } }) {
    await table('budgets')
      .addColumn('id', text, (c) => c.primaryKey().notNull())
      .addColumn('scope', text, (c) => c.notNull())
      .addColumn('subject', text, (c) => c.notNull())
      .addColumn('model', text, (c) => c.notNull())
      .addColumn('slots', text, (c) => c.notNull())
      .addColumn('revision', whole, (c) => c.notNull())
      .addColumn('ends', whole, (c) => c.notNull())
      .execute();
    await db.schema.createIndex('budgets_ends').on('budgets').column('ends').execute();
  },
};
