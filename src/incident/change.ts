import type { Alarm } from '../monitor/alarm.ts';
import type { Case, CaseEvent } from './case.ts';

/** What others hear of as it happens: alerts, and pages that are open. */
export type IncidentChange =
  /** `isNew`: it is the first of its case, or worse than those before it. */
  | { readonly kind: 'alarm'; readonly alarm: Alarm; readonly case: Case; readonly isNew: boolean }
  | { readonly kind: 'case'; readonly case: Case; readonly event: CaseEvent };
