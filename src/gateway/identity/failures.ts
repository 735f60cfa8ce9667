import { neighbourhoodOf } from './network-address.ts';
import { recentMap } from './recent-map.ts';

/** How many failed attempts an address has, and how fast they are forgotten. */
export interface FailureLimits {
  readonly burst: number;
  readonly perMinute: number;
}

/** Counts failed attempts by address. */
export interface Failures {
  /** Seconds until this address may try something new again; undefined where it may now. */
  wait(address: string): number | undefined;
  add(address: string): void;
}

/** Addresses that are remembered: one that is forgotten begins anew. */
const MOST_ADDRESSES = 20_000;

/**
 * A bucket for each address (of IPv6, for each /64), into which failures fall and from which they drain. It never holds more than `burst`, so
 * nobody is shut out for longer than one failure takes to drain.
 *
 * @param clock milliseconds that only go forward
 */
export function countFailures({ burst, perMinute }: FailureLimits, clock: () => number): Failures {
  const buckets = recentMap<{ level: number; at: number }>(MOST_ADDRESSES);
  const perMillisecond = perMinute / 60_000;
  const levelOf = (bucket: { readonly level: number; readonly at: number } | undefined): number =>
    bucket === undefined ? 0 : Math.max(0, bucket.level - (clock() - bucket.at) * perMillisecond);
  return {
    wait(address) {
      const over = levelOf(buckets.get(neighbourhoodOf(address))) + 1 - burst;
      return over <= 0 ? undefined : Math.ceil(over / perMillisecond / 1000);
    },
    add(address) {
      const key = neighbourhoodOf(address);
      buckets.set(key, { level: Math.min(burst, levelOf(buckets.get(key)) + 1), at: clock() });
    },
  };
}
