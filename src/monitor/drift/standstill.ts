/** Watches for values that stand still: longer than they ever did in calm traffic. */
export interface Standstill {
  /** Takes the value of feed `feed` of a caller; while `learning`, it is calm. True where it stands still, once for each time. */
  take(feed: number, caller: string, value: number, at: number, learning: boolean): boolean;
  /** Longest calm time and rows of a feed without a change. */
  longest(feed: number): { readonly milliseconds: number; readonly rows: number };
  keep(): {
    readonly learnt: number;
    readonly longest: readonly (readonly [milliseconds: number, rows: number])[];
  };
}

interface Held {
  value: number;
  since: number;
  rows: number;
  said: boolean;
}

/** How much longer than ever, in time and in rows, and the fewest rows. */
const FACTOR = 5;
const FEWEST = 40;
/** Values from which it knows what is usual. */
const LEARNT = 200;
const MOST_CALLERS = 256;

/**
 * A feed stands still when its value has not changed for five times as long, and five times as many rows, as ever in calm traffic: over all callers (a price is the same for all), or for one
 * caller who sends often (a sensor of its own). Without an assumption about how values change, which differs between feeds; false alarms come where calm traffic held no night, weekend or other
 * long rest of the feed.
 */
export function openStandstill(feeds: number, kept: unknown): Standstill {
  const { longest: before, learnt: count } = (kept ?? {}) as {
    readonly longest?: unknown;
    readonly learnt?: unknown;
  };
  let learnt = typeof count === 'number' ? count : 0;
  const longest = Array.from({ length: feeds }, (_, i): [number, number] => {
    const given = Array.isArray(before) ? (before[i] as unknown) : undefined;
    return Array.isArray(given) && Number.isFinite(given[0]) && Number.isFinite(given[1])
      ? [given[0] as number, given[1] as number]
      : [0, 0];
  });
  const all = new Map<string, Held>();
  const look = (key: string, feed: number, value: number, at: number, learning: boolean): boolean => {
    if (learning) learnt++;
    const held = all.get(key);
    if (held === undefined) {
      if (all.size < MOST_CALLERS * feeds) all.set(key, { value, since: at, rows: 1, said: false });
      return false;
    }
    if (!Object.is(held.value, value)) {
      Object.assign(held, { value, since: at, rows: 1, said: false });
      return false;
    }
    held.rows++;
    const [time, rows] = longest[feed]!;
    if (learning) {
      longest[feed] = [Math.max(time, at - held.since), Math.max(rows, held.rows)];
      return false;
    }
    const stands =
      learnt >= LEARNT && held.rows >= FEWEST && held.rows > FACTOR * rows && at - held.since > FACTOR * time;
    if (!stands || held.said) return false;
    held.said = true;
    return true;
  };
  return {
    take(feed, caller, value, at, learning) {
      const shared = look(`${feed}`, feed, value, at, learning);
      return look(`${feed} ${caller}`, feed, value, at, learning) || shared;
    },
    longest: (feed) => ({ milliseconds: longest[feed]![0], rows: longest[feed]![1] }),
    keep: () => ({ learnt, longest }),
  };
}
