import type { Migration } from '../migration.ts';

/** The queue of decisions that a person looks at. */
export const reviews: Migration = {
  name: '003-reviews',
  async up({ table, db, types: { text, whole, real } }) {
    await table('reviews')
      .addColumn('id', text, (c) => c.primaryKey().notNull())
      .addColumn('entry', whole)
      .addColumn('at', whole, (c) => c.notNull())
      .addColumn('kind', text, (c) => c.notNull())
      .addColumn('principal', text)
      .addColumn('tenant', text)
      .addColumn('model', text, (c) => c.notNull())
      .addColumn('version', text)
      .addColumn('digest', text)
      .addColumn('divergence', real)
      .addColumn('summary', text, (c) => c.notNull())
      .addColumn('state', text, (c) => c.notNull())
      .addColumn('decided', whole)
      .addColumn('decided_by', text)
      .addColumn('note', text)
      .addColumn('expires', whole)
      .execute();
    await db.schema.createIndex('reviews_state_at').on('reviews').columns(['state', 'at']).execute();
  },
};
