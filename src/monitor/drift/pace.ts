import { RUN } from './runs.ts';

/** Callers that are remembered; the one that was quiet longest makes room. */
const MOST_CALLERS = 4096;
/** Rows of others that a caller is held against before its own share counts, and rows after which shares are halved, so that they follow. */
const BEFORE = 200;
const FOLLOWED = 100_000;

/**
 * Keeps to a pace, so that no burst fills a window: rows that come sooner than `gap` milliseconds after the one before are left out, and so are those of a caller that come more than twice as fast as its share of the traffic would have them
 * (but never for longer than {@link RUN}). Who is all of the traffic is held to `gap` alone. Cost: a look into a map. Memory: 4,096 callers.
 *
 * @returns whether a row is to be taken
 */
export function openPace(gap: number): (caller: string, at: number) => boolean {
  const callers = new Map<string, { count: number; last: number }>();
  let total = 0;
  let latest = Number.NEGATIVE_INFINITY;
  // What is older came late: it is taken, so that a clock that was set back does not blind.
  const isSoon = (at: number, before: number, least: number) => at >= before && at - before < least;
  return (caller, at) => {
    if (isSoon(at, latest, gap)) return false;
    const own = callers.get(caller) ?? { count: 0, last: Number.NEGATIVE_INFINITY };
    callers.delete(caller);
    if (callers.size >= MOST_CALLERS) callers.delete(callers.keys().next().value!);
    callers.set(caller, own);
    own.count++;
    total++;
    if (total >= FOLLOWED) {
      total /= 2;
      for (const each of callers.values()) each.count /= 2;
    }
    const share = own.count / (total + BEFORE);
    if (isSoon(at, own.last, Math.min(RUN, gap / (2 * share)))) return false;
    own.last = at;
    latest = at;
    return true;
  };
}
