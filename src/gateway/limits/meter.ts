import type { RateSubject, RatesConfig } from './rates-schema.ts';

/** Milliseconds of what a limit may be stated per. */
const MILLISECONDS = { second: 1000, minute: 60_000, hour: 3_600_000 } as const;

/** A limit in the terms of the generic cell rate algorithm. */
export interface Meter {
  /** What it is, for the log and for keys in a shared store: the same in each gateway, and other for another limit. */
  readonly name: string;
  readonly per: RateSubject;
  readonly counts: 'requests' | 'samples';
  /** The most in `period` at once. */
  readonly limit: number;
  /** Milliseconds. */
  readonly period: number;
}

/** The limits of a configuration. */
export function metersOf({ limits }: RatesConfig): readonly Meter[] {
  return limits.map(({ per, requests, samples, every }) => {
    const counts = requests === undefined ? 'samples' : 'requests';
    const limit = requests ?? samples!;
    return { name: `${per}:${counts}:${limit}/${every}`, per, counts, limit, period: MILLISECONDS[every] };
  });
}

/**
 * When the next request of a caller would arrive if its requests came evenly, after one of cost `cost` was let through: the generic cell
 * rate algorithm (ITU-T I.371; https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm). One number per caller, exact, no windows with
 * edges. `limit` may come at once, and then `limit` per `period`: in any span of one period, less than twice the limit.
 */
export function nextArrival({ limit, period }: Meter, expected: number, cost: number, now: number): number {
  // What lies further ahead than a period was written by a clock that has been set back.
  return Math.min(Math.max(expected, now), now + period) + (cost * period) / limit;
}
