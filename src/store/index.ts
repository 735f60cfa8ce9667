/**
 * Where the gateway keeps what must outlive it: keys, reviews, budgets, the index of the log. SQLite on one machine, PostgreSQL where
 * several share it; one schema, ordered migrations.
 */
export { backupStore, restoreStore } from './backup.ts';
export { type PostgresConfig, type SqliteConfig, type StoreConfig, storeSchema } from './config-schema.ts';
export type { Engine } from './engine.ts';
export type { Migration, MigrationTools } from './migration.ts';
export { type Outcome, openStore, type Store, type StoreSurroundings } from './open-store.ts';
export { type RetentionConfig, retentionSchema, storeBytes, sweepStore } from './retention.ts';
export type {
  AlarmRow,
  AlertOutboxRow,
  AliasRow,
  ApiKeyRow,
  BudgetRow,
  CaseEventRow,
  CasePrincipalRow,
  CaseRow,
  CaseSubjectRow,
  ClientDayRow,
  ClientRollupRow,
  EventRow,
  ImpactDecisionRow,
  ImpactRow,
  LinkRow,
  LogIndexRow,
  ModelRow,
  OrderRow,
  PrincipalRow,
  ReviewRow,
  SessionRow,
  StateRow,
  Tables,
  TrafficRow,
} from './tables.ts';
export { timeSpan } from './time-span.ts';
