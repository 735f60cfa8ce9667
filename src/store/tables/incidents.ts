/** A measure that is or was in force; `src/gateway/contain` reads and writes it. */
export interface OrderRow {
  id: string;
  /** SHA-256 of what it does to whom: only one of each is in force at a time. */
  effect: string;
  measure: string;
  case_id: string | null;
  at: number;
  /** When it ends by itself. */
  until: number | null;
  /** JSON: target, settings, why, by whom. */
  wish: string;
  /** JSON: what was there before, to put it back. */
  changed: string | null;
  ended: number | null;
  ended_by: string | null;
}

/** Alarms about the same thing; `src/incident` reads and writes it. */
export interface CaseRow {
  id: string;
  /** `2026` and `7` of `C-2026-0007`. */
  year: number;
  number: number;
  kind: string;
  severity: string;
  state: string;
  opened: number;
  updated: number;
  /** First and last query that it rests on. */
  first: number;
  last: number;
  /** Counts what persons changed. */
  revision: number;
  /** What is searched: title, models, principals; small letters, no control characters. */
  words: string;
  /** JSON: all of it. */
  body: string;
}

/** The case of what an alarm is about. */
export interface CaseSubjectRow {
  /** SHA-256 of the alarm's `subject`. */
  subject: string;
  case_id: string;
  /** Queries that the alarms about it rest on. */
  queries: number;
}

/** Cases of a principal. */
export interface CasePrincipalRow {
  /** SHA-256 of its id, which may be any text. */
  principal: string;
  case_id: string;
}

/** What a monitor said. */
export interface AlarmRow {
  id: string;
  case_id: string;
  at: number;
  kind: string;
  monitor: string;
  /** SHA-256 of the model's name. */
  model: string;
  /** SHA-256. */
  subject: string;
  /** Alarms like it that came after it and are not kept. */
  again: number;
  /** JSON: the alarm. */
  body: string;
}

/** What happened in a case. */
export interface CaseEventRow {
  id: string;
  case_id: string;
  /** From 1 on, in each case. */
  seq: number;
  at: number;
  /** `glacis` or a person's principal, as JSON text. */
  actor: string;
  kind: string;
  /** What it refers to: the id of an act, order or alarm. */
  word: string | null;
  /** Its place in the log. */
  entry: number | null;
  /** JSON: what happened. */
  body: string;
}

/** A search for the decisions that something affected. */
export interface ImpactRow {
  id: string;
  case_id: string | null;
  /** `running`, `done` or `failed`. */
  state: string;
  at: number;
  /** Entries below it have been looked at. */
  cursor: number;
  /** JSON: scope, counts. */
  body: string;
}

/** A decision that was affected. */
export interface ImpactDecisionRow {
  impact: string;
  entry: number;
  /** 1 where a good model would have decided otherwise. */
  different: number;
  /** JSON. */
  body: string;
}
