import type { Migration } from '../migration.ts';

/** Who is signed in to the console, and links that sign somebody in. */
export const consoleSessions: Migration = {
  name: '012-console',
  async up({ table, db, types: { text, whole } }) {
    await table('sessions')
      .addColumn('hash', text, (c) => c.primaryKey().notNull())
      .addColumn('name', text, (c) => c.notNull().unique())
      .addColumn('principal', text, (c) => c.notNull())
      .addColumn('tenant', text, (c) => c.notNull())
      .addColumn('credential', text, (c) => c.notNull())
      .addColumn('issuer', text)
      .addColumn('claims', text)
      .addColumn('address', text, (c) => c.notNull())
      .addColumn('created', whole, (c) => c.notNull())
      .addColumn('seen', whole, (c) => c.notNull())
      .addColumn('ends', whole, (c) => c.notNull())
      .addColumn('ended', whole)
      .addColumn('ended_by', text)
      .execute();
    await db.schema.createIndex('sessions_principal').on('sessions').column('principal').execute();
    await db.schema.createIndex('sessions_ends').on('sessions').column('ends').execute();
    await table('links')
      .addColumn('hash', text, (c) => c.primaryKey().notNull())
      .addColumn('credential', text, (c) => c.notNull())
      .addColumn('created', whole, (c) => c.notNull())
      .addColumn('created_by', text, (c) => c.notNull())
      .addColumn('ends', whole, (c) => c.notNull())
      .addColumn('used', whole)
      .execute();
    await db.schema.createIndex('links_ends').on('links').column('ends').execute();
  },
};
