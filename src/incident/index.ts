/** Incidents: cases that form from alarms, measures as data, what was affected, evidence that is checked offline, and who is told. */

export { type AlertsConfig, alertsSchema } from './alerts/config-schema.ts';
export { type Alerts, openAlerts } from './alerts/open-alerts.ts';
export { CASE_STATES, type Case, type CaseEvent, type CaseState } from './case.ts';
export { type IncidentsConfig, incidentsSchema } from './config-schema.ts';
export { verifyEvidence } from './evidence/verify-evidence.ts';
export type { CaseView, Incidents, IncidentsSurroundings } from './incidents.ts';
export { openIncidents } from './open-incidents.ts';
export {
  type Containment,
  MEASURES,
  type Measure,
  type Order,
  type OrderTarget,
  type OrderWish,
} from './order.ts';
