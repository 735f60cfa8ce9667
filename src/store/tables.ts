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

/** Who may be given keys: a person or a program. */
export interface PrincipalRow {
  id: string;
  tenant: string;
  name: string | null;
  /** JSON list of names. */
  roles: string;
  created: number;
  changed: number;
  /** When it was shut out; null while it is not. */
  disabled: number | null;
  note: string | null;
}

/** A credential of a principal, without its secret. */
export interface ApiKeyRow {
  id: string;
  /** Of the secret; no two keys share one. */
  hash: string;
  /** How `hash` was made. */
  algorithm: string;
  /** What a person calls it. */
  name: string | null;
  principal: string;
  tenant: string;
  /** JSON list of names. */
  roles: string;
  /** JSON list of what the key is confined to. */
  scopes: string;
  created: number;
  created_by: string;
  not_before: number | null;
  expires: number | null;
  last_used: number | null;
  revoked: number | null;
  revoked_by: string | null;
  revoked_because: string | null;
  /** The key that took its place. */
  replaced_by: string | null;
}

/** A decision that a person looks at. */
export interface ReviewRow {
  /** The decision's id. */
  id: string;
  /** Its place in the log. */
  entry: number | null;
  at: number;
  /** Why it is here: `divergence`, `guard` … */
  kind: string;
  principal: string | null;
  tenant: string | null;
  model: string;
  version: string | null;
  digest: string | null;
  divergence: number | null;
  /** JSON: what the person needs to see; no payload. */
  summary: string;
  /** `open` until decided, then `released`, `refused` … */
  state: string;
  decided: number | null;
  decided_by: string | null;
  note: string | null;
  expires: number | null;
}

/** One entry of the log, as far as one searches by it. The log is the truth; this can be built again from it. */
export interface LogIndexRow {
  /** Its place in the log. */
  entry: number;
  /** `decision` or `event`. */
  kind: string;
  at: number;
  /** The decision's id. */
  id: string | null;
  principal: string | null;
  tenant: string | null;
  credential: string | null;
  address: string | null;
  model: string | null;
  version: string | null;
  digest: string | null;
  samples: number | null;
  outcome: string | null;
  because: string | null;
  detail: string | null;
  /** The strongest action of a guard. */
  action: string | null;
  /** JSON list of what guards said. */
  guards: string | null;
  divergence: number | null;
  bucket: number | null;
  /** What happened, of an event. */
  event: string | null;
  /** Who did it, of an event. */
  actor: string | null;
}

/** A version of a model that is or was served. */
export interface ModelRow {
  model: string;
  version: string;
  digest: string;
  /** Where it was loaded from. */
  source: string;
  /** `loading`, `ready`, `canary`, `shadow`, `retired`, `refused` … */
  state: string;
  /** Share of the calls that it answers, of a canary. */
  share: number;
  added: number;
  changed: number;
  actor: string;
  /** JSON object. */
  about: string;
}

/** A name for a version: the one in service, the one before it. */
export interface AliasRow {
  model: string;
  alias: string;
  version: string;
  changed: number;
  actor: string;
}

/** A management act, a policy change, a model load, a start, a stop. */
export interface EventRow {
  id: string;
  at: number;
  event: string;
  actor: string;
  /** JSON object. */
  about: string;
  entry: number | null;
}

/** Single values with a name. */
export interface StateRow {
  name: string;
  value: string;
  changed: number;
}

/** What has been taken from one query budget; `src/gateway/limits` reads and writes it. */
export interface BudgetRow {
  id: string;
  /** `principal`, `tenant` or `model`: what is counted. */
  scope: string;
  /** Which one. */
  subject: string;
  model: string;
  /** JSON list of steps of the window: from, to, queries. */
  slots: string;
  /** Counts the changes, so that two writers notice each other. */
  revision: number;
  /** The time of budgets from which on nothing in `slots` counts: then the row may be deleted. */
  ends: number;
}

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

/** A message to one receiver, kept until it has arrived. */
export interface AlertOutboxRow {
  /** The same at every try: receivers know a message again by it. */
  id: string;
  channel: string;
  /** What it is about: messages about one thing are sent in order. */
  subject: string;
  /** Grows: the order of messages. */
  sequence: number;
  at: number;
  severity: string;
  title: string;
  case_id: string | null;
  /** JSON: what is said; no secret of the channel. */
  message: string;
  /** `waiting`, `sent` or `given-up`. */
  state: string;
  tries: number;
  /** Counts changes: what is being sent is not added to. */
  revision: number;
  /** Not sent before. */
  due: number;
  /** Given up after. */
  until: number;
  sent: number | null;
  /** Why the last try failed. */
  because: string | null;
}

/** Somebody signed in to the console. */
export interface SessionRow {
  /** SHA-256 of the session's id, which only the browser has. */
  hash: string;
  /** What the session is called where it is listed. */
  name: string;
  principal: string;
  tenant: string;
  /** The key that it stands on, or issuer and subject. */
  credential: string;
  /** The issuer of who signed in there; null for a key. */
  issuer: string | null;
  /** JSON: the claims that name the principal and its roles. */
  claims: string | null;
  address: string;
  created: number;
  /** The last call, to the minute. */
  seen: number;
  ends: number;
  ended: number | null;
  ended_by: string | null;
}

/** A link that signs somebody in, once. */
export interface LinkRow {
  /** SHA-256 of its secret. */
  hash: string;
  /** The key that the session will stand on. */
  credential: string;
  created: number;
  created_by: string;
  ends: number;
  used: number | null;
}

/** Sums of the traffic over a span of time, of one process; `src/gateway/observe/rollups` reads and writes these tables. */
export interface TrafficRow {
  /** Length of the span. */
  span: number;
  /** The model; empty for all together. */
  model: string;
  at: number;
  /** The process that counted. */
  gateway: string;
  answered: number;
  refused: number;
  samples: number;
  flagged: number;
  /** JSON: refusals by name, latencies, verdicts of guards, stages, a sketch of the clients. */
  more: string;
}

/** Sums of a client since it was first seen. */
export interface ClientRollupRow {
  /** The model; empty for all together. */
  model: string;
  principal: string;
  tenant: string;
  requests: number;
  samples: number;
  refused: number;
  flagged: number;
  /** The share used of its fullest budget, when it last called; below zero where nobody knows. */
  budget: number;
  first: number;
  last: number;
  /** A sketch of its addresses. */
  addresses0: number;
  addresses1: number;
  addresses2: number;
  addresses3: number;
}

/** Sums of a client over a day (UTC). */
export interface ClientDayRow {
  principal: string;
  at: number;
  requests: number;
  samples: number;
  refused: number;
  flagged: number;
}
