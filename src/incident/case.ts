import type { Alarm, AlarmKind, AlarmSeverity } from '../monitor/alarm.ts';
import type { OrderWish } from './order.ts';

/** How far a case is. */
export const CASE_STATES = ['open', 'working', 'contained', 'closed'] as const;

/** One of {@link CASE_STATES}. */
export type CaseState = (typeof CASE_STATES)[number];

/** Alarms about the same thing, and what was done about it. */
export interface Case {
  /** `C-2026-0007`. */
  readonly id: string;
  readonly title: string;
  readonly kind: AlarmKind;
  readonly severity: AlarmSeverity;
  readonly state: CaseState;
  /** What it ended with, of a closed one. */
  readonly verdict?: 'attack' | 'drift' | 'fault' | 'false-alarm' | undefined;
  readonly owner?: string | undefined;
  /** Milliseconds since 1970. */
  readonly opened: number;
  readonly updated: number;
  readonly closed?: number | undefined;
  /** First and last query that it rests on. */
  readonly first: number;
  readonly last: number;
  readonly queries: number;
  readonly alarms: number;
  readonly models: readonly string[];
  readonly principals: readonly string[];
  readonly atlas: readonly string[];
  /** Milliseconds from the first bad query to the first measure in force; undefined while there is none. */
  readonly containedAfter?: number | undefined;
  /** Counts changes: two people who act at once notice each other. */
  readonly revision: number;
}

/** What happened in a case, in order. */
export interface CaseEvent {
  readonly id: string;
  readonly case: string;
  readonly at: number;
  /** `glacis`, or a person's principal. */
  readonly by: string;
  readonly what:
    | {
        readonly kind: 'alarm';
        readonly alarm: Alarm /** Alarms like it that came after it. */;
        readonly again: number;
      }
    | {
        readonly kind: 'state';
        readonly from: CaseState;
        readonly to: CaseState;
        readonly verdict?: Case['verdict'];
      }
    | { readonly kind: 'owner'; readonly to: string | undefined }
    | {
        readonly kind: 'comment';
        readonly text: string;
        /** Glacis could not do something by itself: a person is told at once. */
        readonly urgent?: true | undefined;
      }
    | {
        readonly kind: 'asked';
        readonly act: string /** Waits for a second person. */;
        readonly needs: 'approval';
        /** What is to be done; without, `lift` says which measure is to end. */
        readonly wish?: OrderWish | undefined;
        readonly lift?: string | undefined;
      }
    | { readonly kind: 'approved' | 'declined'; readonly act: string }
    | {
        readonly kind: 'measure' | 'lifted';
        readonly order: string;
        readonly measure: string;
        readonly about: string;
      }
    | { readonly kind: 'impact'; readonly decisions: number; readonly different?: number | undefined }
    | { readonly kind: 'bundle'; readonly digest: string };
  /** Its index in the log, where it is there. */
  readonly entry?: number | undefined;
}
