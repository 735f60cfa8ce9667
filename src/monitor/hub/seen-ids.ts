/** Which ids were seen of late. */
export interface SeenIds {
  /** Whether it is new; it is not from then on. */
  isNew(id: string): boolean;
}

/**
 * Remembers the last `most` to `2 · most` ids as 64-bit hashes, in two tables of which the older is thrown away when the younger is full: less than half of the time that a set of strings takes. Two ids are taken for one once in 10¹⁴.
 */
export function seenIds(most: number): SeenIds {
  const slots = 2 ** Math.ceil(Math.log2(2 * most));
  let younger = new Uint32Array(2 * slots);
  let older = new Uint32Array(2 * slots);
  let count = 0;
  /** Where an id is, or the free place where it would be. */
  const placeOf = (table: Uint32Array, a: number, b: number): number => {
    let at = a & (slots - 1);
    while (table[2 * at] !== 0 && (table[2 * at] !== a || table[2 * at + 1] !== b))
      at = (at + 1) & (slots - 1);
    return at;
  };
  return {
    isNew(id) {
      let a = 0x811c9dc5;
      let b = 0x5bd1e995;
      for (let i = 0; i < id.length; i++) {
        const code = id.charCodeAt(i);
        a = Math.imul(a ^ code, 0x01000193);
        b = Math.imul(b ^ (b >>> 13) ^ code, 0xc2b2ae35);
      }
      a ^= a >>> 15;
      // 0 stands for a free place.
      const [first, second] = [a >>> 0 || 1, (b ^ (b >>> 16)) >>> 0];
      const at = placeOf(younger, first, second);
      if (younger[2 * at] !== 0 || older[2 * placeOf(older, first, second)] !== 0) return false;
      if (count >= most) {
        [younger, older] = [older.fill(0), younger];
        count = 0;
        const fresh = placeOf(younger, first, second);
        younger[2 * fresh] = first;
        younger[2 * fresh + 1] = second;
      } else {
        younger[2 * at] = first;
        younger[2 * at + 1] = second;
      }
      count++;
      return true;
    },
  };
}
