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
