/** A map that forgets what was not used for longest, so that it stays small whoever fills it. */
export interface RecentMap<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  clear(): void;
  /** At most what the map was made for. */
  readonly size: number;
}

/**
 * A map of at most `most` entries. Two generations: what is asked for moves to the young one; when that is full the old one is dropped.
 * Half of the entries used last are kept, at the cost of one or two look-ups, without a list to keep in order.
 */
export function recentMap<V extends object | number | string>(most: number): RecentMap<V> {
  const half = Math.max(1, Math.floor(most / 2));
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  const set = (key: string, value: V): void => {
    old.delete(key);
    if (young.size >= half && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };
  return {
    get(key) {
      const found = young.get(key);
      if (found !== undefined) return found;
      const before = old.get(key);
      if (before !== undefined) set(key, before);
      return before;
    },
    set,
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
    clear() {
      young = new Map();
      old = new Map();
    },
    get size() {
      return young.size + old.size;
    },
  };
}
