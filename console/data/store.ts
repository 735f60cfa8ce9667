import { useLayoutEffect, useState } from 'preact/hooks';

/** One value that components look at. */
export interface Store<T> {
  get(): T;
  /** Nothing happens where the value is the same. */
  set(next: T): void;
  /** Calls the listener after each change until the returned function is called. */
  watch(listener: () => void): () => void;
}

/** A store that begins with `value`. */
export function createStore<T>(value: T): Store<T> {
  const listeners = new Set<() => void>();
  let now = value;
  return {
    get: () => now,
    set(next) {
      if (Object.is(next, now)) return;
      now = next;
      for (const listener of [...listeners]) listener();
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The store's value; the component is drawn again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(() => store.get());
  useLayoutEffect(() => {
    const look = () => setValue(() => store.get());
    look();
    return store.watch(look);
  }, [store]);
  return value;
}
