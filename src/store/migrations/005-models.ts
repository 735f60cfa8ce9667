import type { Migration } from '../migration.ts';

/** Versions of models, and names for them. */
export const models: Migration = {
  name: '005-models',
  async up({ table, types: { text, whole, real } }) {
    await table('models')
      .addColumn('model', text, (c) => c.notNull())
      .addColumn('version', text, (c) => c.notNull())
      .addColumn('digest', text, (c) => c.notNull())
      .addColumn('source', text, (c) => c.notNull())
      .addColumn('state', text, (c) => c.notNull())
      .addColumn('share', real, (c) => c.notNull().defaultTo(0))
      .addColumn('added', whole, (c) => c.notNull())
      .addColumn('changed', whole, (c) => c.notNull())
      .addColumn('actor', text, (c) => c.notNull())
      .addColumn('about', text, (c) => c.notNull().defaultTo('{}'))
      .addPrimaryKeyConstraint('models_key', ['model', 'version'])
      .execute();
    await table('aliases')
      .addColumn('model', text, (c) => c.notNull())
      .addColumn('alias', text, (c) => c.notNull())
      .addColumn('version', text, (c) => c.notNull())
      .addColumn('changed', whole, (c) => c.notNull())
      .addColumn('actor', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('aliases_key', ['model', 'alias'])
      .execute();
  },
};
