/** A queue that gives the item of least rank first (binary heap). Items may be in it several times. */
export interface MinQueue {
  clear(): void;
  add(item: number, rank: number): void;
  /** The item of least rank, taken out; `undefined` when empty. */
  next(): number | undefined;
}

/** An empty {@link MinQueue}. */
export function minQueue(): MinQueue {
  const items: number[] = [];
  const ranks: number[] = [];
  const put = (at: number, item: number, r: number) => {
    items[at] = item;
    ranks[at] = r;
  };
  return {
    clear() {
      items.length = 0;
      ranks.length = 0;
    },
    add(item, r) {
      let at = items.length;
      put(at, item, r);
      while (at > 0) {
        const above = (at - 1) >> 1;
        if (ranks[above]! <= r) break;
        put(at, items[above]!, ranks[above]!);
        at = above;
      }
      put(at, item, r);
    },
    next() {
      const first = items[0];
      if (first === undefined) return undefined;
      const item = items.pop()!;
      const r = ranks.pop()!;
      const { length } = items;
      if (length === 0) return first;
      let at = 0;
      for (;;) {
        let below = 2 * at + 1;
        if (below >= length) break;
        if (below + 1 < length && ranks[below + 1]! < ranks[below]!) below++;
        if (ranks[below]! >= r) break;
        put(at, items[below]!, ranks[below]!);
        at = below;
      }
      put(at, item, r);
      return first;
    },
  };
}
