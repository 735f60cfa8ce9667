/** Ids that are remembered: more than monitors remember. */
const MOST = 2 ** 13;

/** What is said of a call's id. */
interface ToldId {
  readonly id: string;
  /** Whether the same event was there before. */
  readonly isAgain: boolean;
}

/**
 * Ids that tell calls apart. A caller may choose the id of its call (KServe's logger takes the header `Ce-Id`), and monitors count an id once: who always sends the same would be seen once. So an id that comes again at another time gets that time behind it; with the same time it is the
 * same event, delivered again, and stays as it is. The last {@link MOST} ids are remembered.
 */
export function openToldIds(): (id: string, at: number) => ToldId {
  const times = new Map<string, number>();
  const remember = (id: string, at: number): boolean => {
    const isAgain = times.get(id) === at;
    times.delete(id);
    times.set(id, at);
    if (times.size > MOST) times.delete(times.keys().next().value!);
    return isAgain;
  };
  return (id, at) => {
    const isOther = times.has(id) && times.get(id) !== at;
    // The first time stays with the bare id, so that what is delivered again has the name it had.
    if (!isOther) return { id, isAgain: remember(id, at) };
    const own = `${id} ${at}`;
    return { id: own, isAgain: remember(own, at) };
  };
}
