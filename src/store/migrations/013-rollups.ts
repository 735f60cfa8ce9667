import type { Migration } from '../migration.ts';

/** Sums of the traffic by time and model, and by client. */
export const rollups: Migration = {
  name: '013-rollups',
  async up({ table, db, types: { text, whole, real } }) {
    await table('traffic')
      .addColumn('span', whole, (c) => c.notNull())
      .addColumn('model', text, (c) => c.notNull())
      .addColumn('at', whole, (c) => c.notNull())
      .addColumn('gateway', text, (c) => c.notNull())
      .addColumn('answered', whole, (c) => c.notNull())
      .addColumn('refused', whole, (c) => c.notNull())
      .addColumn('samples', whole, (c) => c.notNull())
      .addColumn('flagged', whole, (c) => c.notNull())
      .addColumn('more', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('traffic_key', ['span', 'model', 'at', 'gateway'])
      .execute();
    await db.schema.createIndex('traffic_at').on('traffic').columns(['span', 'at']).execute();
    await table('clients')
      .addColumn('model', text, (c) => c.notNull())
      .addColumn('principal', text, (c) => c.notNull())
      .addColumn('tenant', text, (c) => c.notNull())
      .addColumn('requests', whole, (c) => c.notNull())
      .addColumn('samples', whole, (c) => c.notNull())
      .addColumn('refused', whole, (c) => c.notNull())
      .addColumn('flagged', whole, (c) => c.notNull())
      .addColumn('budget', real, (c) => c.notNull())
      .addColumn('first', whole, (c) => c.notNull())
      .addColumn('last', whole, (c) => c.notNull())
      .addColumn('addresses0', whole, (c) => c.notNull())
      .addColumn('addresses1', whole, (c) => c.notNull())
      .addColumn('addresses2', whole, (c) => c.notNull())
      .addColumn('addresses3', whole, (c) => c.notNull())
      .addPrimaryKeyConstraint('clients_key', ['model', 'principal'])
      .execute();
    for (const column of ['requests', 'refused', 'flagged', 'budget'])
      await db.schema
        .createIndex(`clients_${column}`)
        .on('clients')
        .columns(['model', column, 'principal'])
        .execute();
    // Names are searched in this index alone.
    await db.schema
      .createIndex('clients_names')
      .on('clients')
      .columns(['model', 'principal', 'tenant'])
      .execute();
    await db.schema.createIndex('clients_principal').on('clients').column('principal').execute();
    await db.schema.createIndex('clients_last').on('clients').column('last').execute();
    await table('client_days')
      .addColumn('principal', text, (c) => c.notNull())
      .addColumn('at', whole, (c) => c.notNull())
      .addColumn('requests', whole, (c) => c.notNull())
      .addColumn('samples', whole, (c) => c.notNull())
      .addColumn('refused', whole, (c) => c.notNull())
      .addColumn('flagged', whole, (c) => c.notNull())
      .addPrimaryKeyConstraint('client_days_key', ['principal', 'at'])
      .execute();
    await db.schema.createIndex('client_days_at').on('client_days').column('at').execute();
  },
};
