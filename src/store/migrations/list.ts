import type { Migration } from '../migration.ts';
import { principals } from './001-principals.ts';
import { apiKeys } from './002-api-keys.ts';
import { reviews } from './003-reviews.ts';
import { logIndex } from './004-log-index.ts';
import { models } from './005-models.ts';
import { events } from './006-events.ts';
import { state } from './007-state.ts';
import { budgets } from './008-budgets.ts';
import { cases } from './009-cases.ts';
import { orders } from './010-orders.ts';
import { alerts } from './011-alerts.ts';
import { consoleSessions } from './012-console.ts';
import { rollups } from './013-rollups.ts';

/** Every migration, in the order in which they run. A new one goes to the end, with the next number. */
export const MIGRATIONS: readonly Migration[] = [
  principals,
  apiKeys,
  reviews,
  logIndex,
  models,
  events,
  state,
  budgets,
  cases,
  orders,
  alerts,
  consoleSessions,
  rollups,
];
