/** Which ids were seen of late. */
export interface SeenIds {
  /** Whether it is new; it is not from then on. */
  isNew(id: string): boolean;
}

/** Remembers the last `most` to `2 · most` ids: two sets, of which the older is thrown away when the younger is full. */
export function seenIds(most: number): SeenIds {
  let younger = new Set<string>();
  let older = new Set<string>();
  return {
    isNew(id) {
      if (younger.has(id) || older.has(id)) return false;
      if (younger.size >= most) {
        older = younger;
        younger = new Set();
      }
      younger.add(id);
      return true;
    },
  };
}
