/** Requests a minute, of those whom measures slow down. */
export interface Throttles {
  /**
   * Takes `n` from all of these, or from none. Gives the seconds after which to try again; undefined: go on. A batch of n counts n; one that is larger than the limit goes
   * through once and pays for it afterwards, because a limit that can never be met is another measure.
   */
  take(
    measures: readonly { readonly effect: string; readonly perMinute: number }[],
    n: number,
  ): number | undefined;
  /** Forgets all but these. */
  keep(effects: ReadonlySet<string>): void;
}

const MINUTE = 60_000;

/**
 * One number for each measure, by the generic cell rate algorithm as rates have it: as many as are allowed a minute may come at once, then they come evenly. It counts for
 * this gateway alone, so that n gateways let through n times as many. `clock` is one that is never set, in milliseconds.
 */
export function openThrottles(clock: () => number): Throttles {
  /** By effect: when the next request would come if all came evenly. */
  const next = new Map<string, number>();
  return {
    take(measures, n) {
      const now = clock();
      let wait = 0;
      for (const { effect, perMinute } of measures) {
        const room = Math.max(0, MINUTE - MINUTE / perMinute);
        wait = Math.max(wait, (next.get(effect) ?? now) - now - room);
      }
      if (wait > 1e-6) return Math.max(1, Math.ceil(wait / 1000));
      for (const { effect, perMinute } of measures)
        next.set(effect, Math.max(next.get(effect) ?? now, now) + (n * MINUTE) / perMinute);
      return undefined;
    },
    keep(effects) {
      for (const effect of next.keys()) if (!effects.has(effect)) next.delete(effect);
    },
  };
}
