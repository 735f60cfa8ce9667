/** A map of at most `most` entries that forgets what was used least recently. */
export interface Recent<Key, Value> {
  get(key: Key): Value | undefined;
  /** The entry, made where there is none. */
  at(key: Key, make: () => Value): Value;
  entries(): IterableIterator<[Key, Value]>;
  readonly size: () => number;
}

/** See {@link Recent}. Cost: two operations of a Map. */
export function recent<Key, Value>(most: number): Recent<Key, Value> {
  const map = new Map<Key, Value>();
  const use = (key: Key, value: Value) => {
    map.delete(key);
    map.set(key, value);
    if (map.size > most) map.delete(map.keys().next().value as Key);
    return value;
  };
  return {
    get(key) {
      const value = map.get(key);
      return value === undefined ? undefined : use(key, value);
    },
    at: (key, make) => use(key, map.get(key) ?? make()),
    entries: () => map.entries(),
    size: () => map.size,
  };
}
