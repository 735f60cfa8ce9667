import type { Case, CaseEvent } from '../../../incident/case.ts';
import type { ImpactScope } from '../../../incident/impact/impact.ts';
import type { OpenedCase } from '../../../incident/open-incidents.ts';
import type { Order } from '../../../incident/order.ts';
import type { Suggestion } from '../../../incident/suggest.ts';
import type { Alarm, AlarmKind, AlarmSeverity } from '../../../monitor/alarm.ts';
import type { DecisionRow } from './decisions.ts';

/** `GET /api/alarms?model=&kind=&case=&before=&most=`: `Page<Alarm>`. `GET /api/cases?state=&kind=&find=&before=&most=`: `Page<Case>`. `GET /api/cases/:id`: */
export interface CaseDetail {
  readonly case: Case;
  readonly events: readonly CaseEvent[];
  readonly alarms: readonly Alarm[];
  readonly orders: readonly Order[];
  /** What the policy would do, and what a person may do now. */
  readonly suggestions: readonly Suggestion[];
  /** Decisions that show it, the most telling first. */
  readonly decisions: readonly DecisionRow[];
}

/**
 * `POST /api/cases/:id/act {wish}`, `…/state {state, verdict?, revision}`, `…/owner {owner?, revision}`, `…/comment {text}`, `…/approve {act}`, `…/decline {act}`; `POST /api/orders {wish}`,
 * `POST /api/orders/:id/lift`, `GET /api/orders`. `POST /api/cases/:id/impact {scope, against?}` and `GET /api/impacts/:id`:
 */
export interface Impact {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly because?: string | undefined;
  readonly scope: ImpactScope;
  readonly against?: string | undefined;
  /** Decisions looked at, affected, replayed, and different when replayed. */
  readonly looked: number;
  readonly affected: number;
  readonly replayed: number;
  readonly different: number;
  readonly principals: readonly {
    readonly principal: string;
    readonly decisions: number;
    readonly different: number;
  }[];
  readonly rows: readonly (DecisionRow & {
    readonly now?: readonly (readonly [label: number, score: number])[] | undefined;
    readonly different?: boolean | undefined;
  })[];
  /** What to ask for as `?before=` to see more rows: those that differ come first. */
  readonly next?: string | undefined;
  /** Entries of the log that were passed, of so many. */
  readonly progress?: readonly [done: number, of: number] | undefined;
  /** Affected ones that could not be replayed: their inputs were not kept, or the key is gone. */
  readonly unkept?: number | undefined;
  /** Where the signed bundle is: `GET /api/impacts/:id/bundle`. */
  readonly bundle?: { readonly digest: string; readonly bytes: number } | undefined;
}

/** `POST /api/cases`: a case that a person opens; the answer is an {@link OpenedCase}. It says a model, or at least one principal. */
export interface CaseOpening {
  readonly title: string;
  /** The first word about it, up to 4,000 characters. */
  readonly why?: string | undefined;
  readonly kind: AlarmKind;
  /** `medium` unless given. */
  readonly severity?: AlarmSeverity | undefined;
  readonly model?: string | undefined;
  readonly principals?: readonly string[] | undefined;
  /** The time it is about; now unless given. */
  readonly first?: number | undefined;
  readonly last?: number | undefined;
  /** Ids of decisions that show it, 64 at most. */
  readonly decisions?: readonly string[] | undefined;
}

export type { ImpactScope, OpenedCase, Suggestion };
