import type { ImpactScope, ImpactSummary } from '../../../incident/impact/impact.ts';
import type { CaseView, OpenedCase } from '../../../incident/open-incidents.ts';
import type { Suggestion } from '../../../incident/suggest.ts';
import type { AlarmKind, AlarmSeverity } from '../../../monitor/alarm.ts';
import type { DecisionRow } from './decisions.ts';

/** `GET /api/alarms?model=&kind=&case=&before=&most=`: `Page<Alarm>`. `GET /api/cases?state=&kind=&find=&before=&most=`: `Page<Case>`. `GET /api/cases/:id`: */
export interface CaseDetail extends CaseView {
  /** Decisions that show it, the most telling first. */
  readonly decisions: readonly DecisionRow[];
}

/**
 * `POST /api/cases/:id/act {wish}`, `…/state {state, verdict?, revision}`, `…/owner {owner?, revision}`, `…/comment {text}`, `…/approve {act}`, `…/decline {act}`; `POST /api/orders {wish}`,
 * `POST /api/orders/:id/lift`, `GET /api/orders`. `POST /api/cases/:id/impact {scope, against?}` and `GET /api/impacts/:id`; its bundle is at
 * `GET /api/impacts/:id/bundle`:
 */
export interface Impact
  extends Pick<
    ImpactSummary,
    | ('id' | 'state' | 'because' | 'scope' | 'against' | 'bundle')
    | ('looked' | 'affected' | 'replayed' | 'different' | 'principals')
  > {
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
