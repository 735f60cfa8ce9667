import type { Alarm, AlarmKind, AlarmSeverity } from '../monitor/alarm.ts';
import type { Store } from '../store/index.ts';
import type { Acts } from './acts.ts';
import type { AlarmQueue } from './alarm-queue.ts';
import type { Case, CaseEvent, CaseState } from './case.ts';
import type { IncidentChange } from './change.ts';
import type { IncidentsConfig } from './config-schema.ts';
import type { LedgerEvent } from './ledger-event.ts';
import type { AlarmQuery, CaseQuery, Page } from './listing.ts';
import type { Containment, Order } from './order.ts';
import type { Suggestion } from './suggest.ts';

/** What incidents depend on. */
export interface IncidentsSurroundings {
  readonly store: Store;
  /** Writes an event to the log; gives its place there. Errors: `output/unwritable`. */
  readonly record: (event: LedgerEvent) => Promise<number>;
  /** Whether the log seals who asked: then names of callers, and texts in which they may stand, stay out of it. */
  readonly sealed?: boolean | undefined;
  readonly containment: Containment;
  /** Hears of every change: alerts, open pages. Must not throw or wait. */
  readonly notify: (change: IncidentChange) => void;
  /** 128 random bits, hexadecimal. */
  readonly freshId: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
}

/** A case with everything in it. */
export interface CaseView {
  readonly case: Case;
  readonly events: readonly CaseEvent[];
  readonly alarms: readonly Alarm[];
  readonly orders: readonly Order[];
  /** What the policy would do, and what a person may do now. */
  readonly suggestions: readonly Suggestion[];
}

/** A case that a person opens. */
export interface CaseWish {
  readonly title: string;
  readonly why: string;
  readonly kind: AlarmKind;
  readonly severity: AlarmSeverity;
  /** Undefined where it is about somebody alone. */
  readonly model?: string | undefined;
  readonly principals: readonly string[];
  /** The time it is about; now without. */
  readonly first?: number | undefined;
  readonly last?: number | undefined;
  /** Ids of decisions that show it. */
  readonly decisions: readonly string[];
  /** What it is about, where the next wish about the same belongs to it; undefined where each is about something of its own. With it, neither a model nor a principal is needed. */
  readonly subject?: string | undefined;
}

/** A case that a person opened; one that was open before where there was one about the same. */
export interface OpenedCase extends Case {
  readonly isNew: boolean;
}

/** Alarms, the cases that they form, and what is done about them. */
export interface Incidents
  extends Pick<Acts, 'act' | 'lift' | 'approve' | 'decline' | 'note' | 'needsApproval'> {
  /** Takes an alarm. Costs microseconds here; resolves with the id of its case once it is kept, with undefined where it found no room. Never throws. */
  raise(alarm: Alarm): Promise<string | undefined>;
  /**
   * Opens a case by hand, or adds to the open one about the same principals and model at about that time: then `isNew` is false. Errors: `option/invalid` for one about nothing, those of the
   * log and the store.
   */
  open(wish: CaseWish, by: string): Promise<OpenedCase>;
  list(query: CaseQuery): Promise<Page<Case>>;
  alarms(query: AlarmQuery): Promise<Page<Alarm>>;
  find(id: string): Promise<CaseView | undefined>;
  casesOf(principal: string): Promise<readonly Case[]>;
  /** Moves a case on. Closing takes a verdict, opening again takes it away. Errors: `option/invalid`, `store/conflict`, those of log and store. */
  state(
    id: string,
    wish: { readonly state: CaseState; readonly verdict?: Case['verdict']; readonly revision: number },
    by: string,
  ): Promise<Case>;
  /** Errors: as `state`. */
  owner(
    id: string,
    wish: { readonly owner?: string | undefined; readonly revision: number },
    by: string,
  ): Promise<Case>;
  /** Errors: `option/invalid` for one that is empty or has more than 4,000 characters. */
  comment(id: string, text: string, by: string): Promise<CaseEvent>;
  /** Writes into the case what a search found, or that evidence was made. For the parts of incidents alone. */
  add(
    id: string,
    what: Extract<CaseEvent['what'], { kind: 'impact' | 'bundle' }>,
    by: string,
    logged?: CaseEvent,
  ): Promise<void>;
  /** The measures, for who acts outside of cases: what takes two persons is refused there. */
  readonly overseen: Containment;
  /** Puts another configuration in force. */
  reload(config: IncidentsConfig): void;
  readonly config: () => IncidentsConfig;
  /** Since the start, of this gateway: alarms kept or counted, cases opened, cases contained, and how long after their first bad query that was, added up. */
  readonly counts: () => {
    readonly alarms: number;
    readonly opened: number;
    readonly contained: number;
    readonly containedMilliseconds: number;
  };
  /** Alarms that found no room since the start. */
  readonly dropped: AlarmQueue['dropped'];
  readonly idle: AlarmQueue['idle'];
  /** Ends once every alarm that was taken is kept, or has failed. */
  close(): Promise<void>;
}
