import type { Migration } from '../migration.ts';

/** Messages about cases on their way to who must know. */
export const alerts: Migration = {
  name: '011-alerts',
  async up({ table, db, types: { text, whole } }) {
    await table('alerts')
      .addColumn('id', text, (c) => c.primaryKey().notNull())
      .addColumn('channel', text, (c) => c.notNull())
      .addColumn('subject', text, (c) => c.notNull())
      .addColumn('sequence', whole, (c) => c.notNull())
      .addColumn('at', whole, (c) => c.notNull())
      .addColumn('severity', text, (c) => c.notNull())
      .addColumn('title', text, (c) => c.notNull())
      .addColumn('case_id', text)
      .addColumn('message', text, (c) => c.notNull())
      .addColumn('state', text, (c) => c.notNull())
      .addColumn('tries', whole, (c) => c.notNull())
      .addColumn('revision', whole, (c) => c.notNull())
      .addColumn('due', whole, (c) => c.notNull())
      .addColumn('until', whole, (c) => c.notNull())
      .addColumn('sent', whole)
      .addColumn('because', text)
      .execute();
    for (const columns of [
      ['state', 'due'],
      ['channel', 'subject', 'state', 'sequence'],
      ['channel', 'state', 'sent'],
      ['sequence'],
    ])
      await db.schema
        .createIndex(`alerts_${columns.join('_')}`)
        .on('alerts')
        .columns(columns)
        .execute();
  },
};
