import type { Rates } from '../limits.ts';
import { Refused } from '../refusal.ts';
import { localRates } from './rates-in-memory.ts';
import { sharedRates } from './rates-in-redis.ts';
import type { RatesConfig } from './rates-schema.ts';

/** What limits need from outside. */
export interface RatesSurroundings {
  /** A clock that is never set, in milliseconds. */
  readonly monotonic?: () => number;
  /** Hears when the shared store stops answering, and when it answers again. */
  readonly changed?: (state: 'gone' | 'back', because: string) => void;
}

/** Limits on requests per time, with their end. */
export interface OpenRates extends Rates {
  /** Other limits from now on; callers keep what they have taken of those that stay. */
  change(limits: RatesConfig['limits']): void;
  close(): Promise<void>;
}

/**
 * Opens the limits of `serve.rates`: in memory, where `take` answers at once, or shared in Redis. While Redis does not answer, the policy
 * says: `refuse` (every request is refused as `unavailable`), or `alone` (this gateway counts for itself, so that n gateways let through at most
 * n times the limits). Errors: `option/invalid`.
 */
export function openRates(config: RatesConfig, surroundings: RatesSurroundings = {}): OpenRates {
  const { redis } = config;
  const local = localRates(config, surroundings.monotonic);
  if (!redis) return { take: local.take, change: local.change, close: async () => {} };
  const shared = sharedRates({ ...config, redis }, surroundings.monotonic);
  let isGone = false;
  const tell = (gone: boolean, because: string) => {
    if (gone !== isGone) surroundings.changed?.(gone ? 'gone' : 'back', because);
    isGone = gone;
  };
  return {
    async take(who, n) {
      let wait: number | undefined;
      try {
        wait = await shared.take(who, n);
      } catch (thrown) {
        if (thrown instanceof Refused) throw thrown;
        const because = thrown instanceof Error ? thrown.message : String(thrown);
        tell(true, because);
        if (config.storeGone === 'alone') return local.take(who, n);
        throw new Refused('unavailable', `rates: ${because}`, { retryAfter: 1, cause: thrown });
      }
      tell(false, 'it answers');
      return wait;
    },
    change(limits) {
      local.change(limits);
      shared.change(limits);
    },
    close: shared.close,
  };
}
