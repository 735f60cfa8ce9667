import type { Value } from './value.ts';

/** How far an index may lie past the last one to be kept beside it; picklers count up one by one. */
const GAP = 1024;

/** A pickle's memo: a plain row for indices that count up, as picklers write them, and a map for those that jump. */
export class Memo {
  #size = 0;
  readonly #row: (Value | undefined)[] = [];
  readonly #far = new Map<number, Value>();

  /** Entries, which is the index that MEMOIZE takes. */
  get size(): number {
    return this.#size;
  }

  get(index: number): Value | undefined {
    // None is an entry, and `undefined` is none.
    const near = this.#row[index];
    return near === undefined ? this.#far.get(index) : near;
  }

  set(index: number, value: Value): void {
    // As picklers count, one by one: nothing is looked up.
    if (index === this.#row.length && this.#far.size === 0) {
      this.#size++;
      this.#row.push(value);
      return;
    }
    if (this.get(index) === undefined) this.#size++;
    if (this.#far.has(index) || index > this.#row.length + GAP) this.#far.set(index, value);
    else {
      while (this.#row.length < index) this.#row.push(undefined);
      this.#row[index] = value;
    }
  }

  /** A memo with the same entries. */
  copy(): Memo {
    const twin = new Memo();
    for (const [index, value] of this.#row.entries()) if (value !== undefined) twin.set(index, value);
    for (const [index, value] of this.#far) twin.set(index, value);
    return twin;
  }
}
