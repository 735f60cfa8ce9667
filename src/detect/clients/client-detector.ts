import type { z } from 'zod';
import type { Observations, Watched } from '../detector.ts';

/** What a detector of clients may remember, and its secret. */
export interface ClientMemory {
  /** A whole number from 0 to 2⁵³ − 1 that nobody outside may know. What is taken up from a state keeps its own. */
  readonly salt: number;
  /** Queries of everybody that are remembered: a power of two. */
  readonly capacity: number;
  /** Clients that are remembered. */
  readonly askers: number;
}

/** What a query did to the picture of a client. */
export interface Alarm {
  /** The share of the least evidence that is an alarm. */
  readonly score: number;
  /** What was seen, in words for the log. */
  readonly seen: string;
}

/** Watches clients, query by query. Everything that it remembers is bounded. */
export interface ClientWatch {
  /**
   * Query `i` of those observed, by `asker`. Of a `stream` (frames of a camera) it is expected that queries resemble each other.
   */
  observe(asker: string, queries: Observations, i: number, stream?: boolean): Alarm;
  snapshot(): Uint8Array;
}

/** Tells strange clients from calm ones by what they ask, one query after another. What it learns is data that JSON can hold. */
export interface ClientDetector<Fit> {
  readonly id: string;
  /** Whether it needs the last layer's features beside inputs and scores. */
  readonly needs: 'inputs' | 'features';
  readonly kept: z.ZodType<Fit>;
  /** Learns from calm clients, each with its queries in order. Errors: `option/invalid`, `data/mismatch`. */
  fit(clients: readonly Observations[], watched: Watched): Fit;
  /** Errors: `option/invalid` (the fit is of another model); `result/invalid` (the state was kept with other settings). */
  open(fit: Fit, watched: Watched, memory: ClientMemory, state?: Uint8Array): ClientWatch;
}

/** Declares a detector of clients. */
export function defineClientDetector<Fit>(detector: ClientDetector<Fit>): ClientDetector<Fit> {
  return Object.freeze(detector);
}

/** Clients whose queries come mixed with each other's. */
const AT_ONCE = 16;

/** The highest score of each client, when they ask by turns, some at a time. */
export function highestScores(
  watch: ClientWatch,
  clients: readonly Observations[],
  name = 'calm',
): Float64Array {
  const highest = new Float64Array(clients.length);
  for (let first = 0; first < clients.length; first += AT_ONCE) {
    const group = clients.slice(first, first + AT_ONCE);
    const longest = group.reduce((most, { n }) => Math.max(most, n), 0);
    for (let i = 0; i < longest; i++)
      for (const [k, client] of group.entries()) {
        if (i >= client.n) continue;
        const { score } = watch.observe(`${name} ${first + k}`, client, i);
        // Written so that NaN stays.
        if (!(score <= highest[first + k]!)) highest[first + k] = score;
      }
  }
  return highest;
}

/** The value that a share `p` of the numbers does not exceed; 0 where there are none. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? 0;
}
