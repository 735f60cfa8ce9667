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
