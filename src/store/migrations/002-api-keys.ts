import type { Migration } from '../migration.ts';

/** Credentials, without their secrets. */
export const apiKeys: Migration = {
  name: '002-api-keys',
  async up({ table, db, types: { text, whole } }) {
    await table('api_keys')
      .addColumn('id', text, (c) => c.primaryKey().notNull())
      .addColumn('hash', text, (c) => c.notNull().unique())
      .addColumn('algorithm', text, (c) => c.notNull())
      .addColumn('name', text)
      .addColumn('principal', text, (c) => c.notNull())
      .addColumn('tenant', text, (c) => c.notNull())
      .addColumn('roles', text, (c) => c.notNull().defaultTo('[]'))
      .addColumn('scopes', text, (c) => c.notNull().defaultTo('[]'))
      .addColumn('created', whole, (c) => c.notNull())
      .addColumn('created_by', text, (c) => c.notNull())
      .addColumn('not_before', whole)
      .addColumn('expires', whole)
      .addColumn('last_used', whole)
      .addColumn('revoked', whole)
      .addColumn('revoked_by', text)
      .addColumn('revoked_because', text)
      .addColumn('replaced_by', text)
      .execute();
    await db.schema.createIndex('api_keys_principal').on('api_keys').column('principal').execute();
  },
};
