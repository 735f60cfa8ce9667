import type { Tables } from './tables.ts';

/** What tells the rows of a table apart, in the order of its index: tables are read in pages by it. */
export const PRIMARY_KEYS = {
  principals: ['id'],
  api_keys: ['id'],
  reviews: ['id'],
  log_index: ['entry'],
  models: ['model', 'version'],
  aliases: ['model', 'alias'],
  events: ['id'],
  state: ['name'],
  budgets: ['id'],
  cases: ['id'],
  case_subjects: ['subject'],
  case_principals: ['principal', 'case_id'],
  alarms: ['id'],
  case_events: ['id'],
  impacts: ['id'],
  impact_rows: ['impact', 'entry'],
  orders: ['id'],
  traffic: ['span', 'model', 'at', 'gateway'],
  clients: ['model', 'principal'],
  client_days: ['principal', 'at'],
  alerts: ['id'],
  sessions: ['hash'],
  links: ['hash'],
} as const satisfies { readonly [T in keyof Tables]: readonly (keyof Tables[T])[] };

/** The name of a table. */
export type TableName = keyof Tables;

/** All tables. */
export const TABLE_NAMES = Object.keys(PRIMARY_KEYS) as readonly TableName[];
