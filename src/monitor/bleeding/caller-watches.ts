import type { MeanStream, Rise } from './mean-stream.ts';

/** Callers (tenants, where they are known) that are watched one by one. */
export interface CallerWatches {
  /** Takes a number of a group; what is found of it is given back. Undefined also for a group that has no place. */
  take(group: string, x: number, caller: string, decision: string, at: number): Rise | undefined;
  /** Whether half of all numbers are this group's: what is said of it is said of all. */
  isMost(group: string): boolean;
  readonly watches: () => Iterable<readonly [group: string, watch: MeanStream]>;
}

/** Groups at most, and numbers of others after which a place is free again. */
const MOST_GROUPS = 32;
const QUIET = 200_000;

/** Opens them; `open` makes the watch over a group that gets a place. */
export function openCallerWatches(open: (group: string) => MeanStream): CallerWatches {
  const all = new Map<string, { readonly watch: MeanStream; last: number; count: number }>();
  let told = 0;
  /** Undefined where others have all places: who comes and goes must not push out who stays. */
  const placeOf = (group: string) => {
    const known = all.get(group);
    if (known !== undefined) return known;
    if (all.size >= MOST_GROUPS) {
      if (told % 64 !== 0) return undefined;
      const quiet = [...all].find(([, { last }]) => told - last > QUIET);
      if (quiet === undefined) return undefined;
      all.delete(quiet[0]);
    }
    const place = { watch: open(group), last: told, count: 0 };
    all.set(group, place);
    return place;
  };
  return {
    take(group, x, caller, decision, at) {
      told++;
      const place = placeOf(group);
      if (place === undefined) return undefined;
      place.last = told;
      place.count++;
      return place.watch.take(x, caller, decision, at);
    },
    isMost: (group) => 2 * (all.get(group)?.count ?? 0) >= told,
    *watches() {
      for (const [group, { watch }] of all) yield [group, watch];
    },
  };
}
