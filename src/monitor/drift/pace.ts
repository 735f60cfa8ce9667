import { openCallerShares } from './caller-shares.ts';
import { RUN } from './runs.ts';

/**
 * Keeps to a pace, so that no burst fills a window: rows that come sooner than `gap` milliseconds after the one before are left out, and so are those of a caller that come more than twice as fast as its share of the traffic would have them
 * (but never for longer than {@link RUN}). Who is all of the traffic is held to `gap` alone. Cost: a look into a map. Memory: 4,096 callers.
 *
 * @returns whether a row is to be taken
 */
export function openPace(gap: number): (caller: string, at: number) => boolean {
  const count = openCallerShares(() => ({ last: Number.NEGATIVE_INFINITY }));
  let latest = Number.NEGATIVE_INFINITY;
  // What is older came late: it is taken, so that a clock that was set back does not blind.
  const isSoon = (at: number, before: number, least: number) => at >= before && at - before < least;
  return (caller, at) => {
    if (isSoon(at, latest, gap)) return false;
    const { own, share } = count(caller);
    if (isSoon(at, own.last, Math.min(RUN, gap / (2 * share)))) return false;
    own.last = at;
    latest = at;
    return true;
  };
}
