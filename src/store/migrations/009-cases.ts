import type { Migration } from '../migration.ts';

/** Alarms, the cases that they form, what happened in them, and which decisions were affected. */
export const cases: Migration = {
  name: '009-cases',
  async up({ table, db, types: { text, whole } }) {
    await table('cases')
      .addColumn('id', text, (c) => c.primaryKey().notNull())
      .addColumn('year', whole, (c) => c.notNull())
      .addColumn('number', whole, (c) => c.notNull())
      .addColumn('kind', text, (c) => c.notNull())
      .addColumn('severity', text, (c) => c.notNull())
      .addColumn('state', text, (c) => c.notNull())
      .addColumn('opened', whole, (c) => c.notNull())
      .addColumn('updated', whole, (c) => c.notNull())
      .addColumn('first', whole, (c) => c.notNull())
      .addColumn('last', whole, (c) => c.notNull())
      .addColumn('revision', whole, (c) => c.notNull())
      .addColumn('words', text, (c) => c.notNull())
      .addColumn('body', text, (c) => c.notNull())
      .execute();
    const index = (name: string, of: string, columns: readonly string[]) =>
      db.schema
        .createIndex(name)
        .on(of)
        .columns([...columns]);
    await index('cases_number', 'cases', ['year', 'number']).unique().execute();
    await index('cases_updated', 'cases', ['updated', 'id']).execute();
    await index('cases_state', 'cases', ['state', 'updated', 'id']).execute();
    await index('cases_opened', 'cases', ['opened']).execute();
    await table('case_subjects')
      .addColumn('subject', text, (c) => c.primaryKey().notNull())
      .addColumn('case_id', text, (c) => c.notNull())
      .addColumn('queries', whole, (c) => c.notNull())
      .execute();
    await index('case_subjects_case', 'case_subjects', ['case_id']).execute();
    await table('case_principals')
      .addColumn('principal', text, (c) => c.notNull())
      .addColumn('case_id', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('case_principals_key', ['principal', 'case_id'])
      .execute();
    await index('case_principals_case', 'case_principals', ['case_id']).execute();
    await table('alarms')
      .addColumn('id', text, (c) => c.primaryKey().notNull())
      .addColumn('case_id', text, (c) => c.notNull())
      .addColumn('at', whole, (c) => c.notNull())
      .addColumn('kind', text, (c) => c.notNull())
      .addColumn('monitor', text, (c) => c.notNull())
      .addColumn('model', text, (c) => c.notNull())
      .addColumn('subject', text, (c) => c.notNull())
      .addColumn('again', whole, (c) => c.notNull())
      .addColumn('body', text, (c) => c.notNull())
      .execute();
    await index('alarms_at', 'alarms', ['at', 'id']).execute();
    await index('alarms_model', 'alarms', ['model', 'at', 'id']).execute();
    await index('alarms_case', 'alarms', ['case_id', 'at', 'id']).execute();
    await table('case_events')
      .addColumn('id', text, (c) => c.primaryKey().notNull())
      .addColumn('case_id', text, (c) => c.notNull())
      .addColumn('seq', whole, (c) => c.notNull())
      .addColumn('at', whole, (c) => c.notNull())
      .addColumn('actor', text, (c) => c.notNull())
      .addColumn('kind', text, (c) => c.notNull())
      .addColumn('word', text)
      .addColumn('entry', whole)
      .addColumn('body', text, (c) => c.notNull())
      .execute();
    await index('case_events_seq', 'case_events', ['case_id', 'seq']).unique().execute();
    await index('case_events_kind', 'case_events', ['kind', 'at']).execute();
    await table('impacts')
      .addColumn('id', text, (c) => c.primaryKey().notNull())
      .addColumn('case_id', text)
      .addColumn('state', text, (c) => c.notNull())
      .addColumn('at', whole, (c) => c.notNull())
      .addColumn('cursor', whole, (c) => c.notNull())
      .addColumn('body', text, (c) => c.notNull())
      .execute();
    await index('impacts_state', 'impacts', ['state', 'at']).execute();
    await index('impacts_case', 'impacts', ['case_id', 'at']).execute();
    await table('impact_rows')
      .addColumn('impact', text, (c) => c.notNull())
      .addColumn('entry', whole, (c) => c.notNull())
      .addColumn('different', whole, (c) => c.notNull())
      .addColumn('body', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('impact_rows_key', ['impact', 'entry'])
      .execute();
    await index('impact_rows_shown', 'impact_rows', ['impact', 'different', 'entry']).execute();
  },
};
