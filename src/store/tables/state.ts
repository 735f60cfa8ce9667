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
