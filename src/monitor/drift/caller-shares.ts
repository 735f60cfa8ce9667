/** Callers that are remembered; the one that was quiet longest makes room. */
const MOST_CALLERS = 4096;
/** Rows of others that a caller is held against before its own share counts, and rows after which shares are halved, so that they follow. */
const BEFORE = 200;
const FOLLOWED = 100_000;

/**
 * Counts rows by caller, and remembers something of each caller beside. Cost: a look into a map. Memory: 4,096 callers.
 *
 * @param fresh what is remembered of a caller who was never seen
 * @returns counts a row of a caller: what is remembered of it, to be changed in place, and its share of all rows so far (0–1)
 */
export function openCallerShares<Own extends object>(
  fresh: () => Own,
): (caller: string) => { readonly own: Own; readonly share: number } {
  const callers = new Map<string, { count: number; readonly own: Own }>();
  let total = 0;
  return (caller) => {
    const known = callers.get(caller) ?? { count: 0, own: fresh() };
    callers.delete(caller);
    if (callers.size >= MOST_CALLERS) callers.delete(callers.keys().next().value!);
    callers.set(caller, known);
    known.count++;
    total++;
    if (total >= FOLLOWED) {
      total /= 2;
      for (const each of callers.values()) each.count /= 2;
    }
    return { own: known.own, share: known.count / (total + BEFORE) };
  };
}
