import type { Migration } from '../migration.ts';

/** What the log is searched by. */
export const logIndex: Migration = {
  name: '004-log-index',
  async up({ table, db, types: { text, whole, real } }) {
    await table('log_index')
      .addColumn('entry', whole, (c) => c.primaryKey().notNull())
      .addColumn('kind', text, (c) => c.notNull())
      .addColumn('at', whole, (c) => c.notNull())
      .addColumn('id', text)
      .addColumn('principal', text)
      .addColumn('tenant', text)
      .addColumn('credential', text)
      .addColumn('address', text)
      .addColumn('model', text)
      .addColumn('version', text)
      .addColumn('digest', text)
      .addColumn('samples', whole)
      .addColumn('outcome', text)
      .addColumn('because', text)
      .addColumn('detail', text)
      .addColumn('action', text)
      .addColumn('guards', text)
      .addColumn('divergence', real)
      .addColumn('bucket', whole)
      .addColumn('event', text)
      .addColumn('actor', text)
      .execute();
    for (const column of ['id', 'at'])
      await db.schema.createIndex(`log_index_${column}`).on('log_index').column(column).execute();
    for (const column of ['principal', 'tenant', 'model', 'outcome', 'event'])
      await db.schema.createIndex(`log_index_${column}_at`).on('log_index').columns([column, 'at']).execute();
  },
};
