import type { AlertOutboxRow } from './tables/alerts.ts';
import type { BudgetRow, LogIndexRow, ReviewRow } from './tables/calls.ts';
import type { LinkRow, SessionRow } from './tables/console.ts';
import type { ApiKeyRow, PrincipalRow } from './tables/identity.ts';
import type {
  AlarmRow,
  CaseEventRow,
  CasePrincipalRow,
  CaseRow,
  CaseSubjectRow,
  ImpactDecisionRow,
  ImpactRow,
  OrderRow,
} from './tables/incidents.ts';
import type { AliasRow, ModelRow } from './tables/models.ts';
import type { ClientDayRow, ClientRollupRow, TrafficRow } from './tables/rollups.ts';
import type { EventRow, StateRow } from './tables/state.ts';

/**
 * All tables, as both engines have them. Times are milliseconds since 1970, lists and objects are JSON text, truth values are 0 and 1,
 * hashes lowercase hexadecimal. A column is added by a migration and here.
 */
export interface Tables {
  readonly principals: PrincipalRow;
  readonly api_keys: ApiKeyRow;
  readonly reviews: ReviewRow;
  readonly log_index: LogIndexRow;
  readonly models: ModelRow;
  readonly aliases: AliasRow;
  readonly events: EventRow;
  readonly state: StateRow;
  readonly budgets: BudgetRow;
  readonly cases: CaseRow;
  readonly case_subjects: CaseSubjectRow;
  readonly case_principals: CasePrincipalRow;
  readonly alarms: AlarmRow;
  readonly case_events: CaseEventRow;
  readonly impacts: ImpactRow;
  readonly impact_rows: ImpactDecisionRow;
  readonly orders: OrderRow;
  readonly traffic: TrafficRow;
  readonly clients: ClientRollupRow;
  readonly client_days: ClientDayRow;
  readonly alerts: AlertOutboxRow;
  readonly sessions: SessionRow;
  readonly links: LinkRow;
}

export type * from './tables/alerts.ts';
export type * from './tables/calls.ts';
export type * from './tables/console.ts';
export type * from './tables/identity.ts';
export type * from './tables/incidents.ts';
export type * from './tables/models.ts';
export type * from './tables/rollups.ts';
export type * from './tables/state.ts';
