import { MOST_TEXT } from '../packed/record.ts';

/** Texts that come again and again (clients, models, outcomes), each with a number. */
export interface Texts {
  /** The texts by number. A new array once the table began anew, so that whoever holds the old one reads on in it. */
  readonly all: () => readonly string[];
  /** The number of a text; −1 stands for none. */
  numberOf(text: string | undefined): number;
  /** The number of the text with these bytes (UTF-8), of at most {@link MOST_TEXT}; `like` is the number of one that it often equals. */
  numberAt(bytes: Buffer, from: number, to: number, like: number): number;
  /** Begins anew where it became large; between batches alone. */
  shorten(): void;
}

/** Texts, and bytes of them, at which the table begins anew. */
const MOST = 2 ** 15;
const MOST_BYTES = 2 ** 22;

/** Opens an empty table. Memory: below 32 MB, and the texts of one batch. Cost of a known text: its bytes once or twice. */
export function openTexts(): Texts {
  let all: string[] = [];
  let byText = new Map<string, number>();
  // Open addressing: number + 1, found by the hash of the bytes, which lie in `arena`.
  let slots = new Int32Array(4 * MOST);
  let arena = Buffer.alloc(2 ** 16);
  let starts = new Int32Array(1024);
  let ends = new Int32Array(1024);
  let used = 0;
  let byBytes = 0;
  const equals = (number: number, bytes: Buffer, from: number, to: number): boolean => {
    const start = starts[number]!;
    if (ends[number]! - start !== to - from) return false;
    for (let i = from, j = start; i < to; i++, j++) if (arena[j] !== bytes[i]) return false;
    return true;
  };
  const grow = (size: number): void => {
    if (used + size > arena.length) {
      const larger = Buffer.alloc(2 * (used + size));
      larger.set(arena.subarray(0, used));
      arena = larger;
    }
    if (all.length < starts.length) return;
    const [moreStarts, moreEnds] = [new Int32Array(2 * all.length), new Int32Array(2 * all.length)];
    moreStarts.set(starts);
    moreEnds.set(ends);
    [starts, ends] = [moreStarts, moreEnds];
  };
  const add = (text: string): number => {
    grow(0);
    starts[all.length] = 0;
    // No text has −1 bytes: this one is not found by its bytes.
    ends[all.length] = -1;
    return all.push(text) - 1;
  };
  return {
    all: () => all,
    numberOf(text) {
      if (text === undefined) return -1;
      const cut = text.length > MOST_TEXT ? text.slice(0, MOST_TEXT) : text;
      const known = byText.get(cut);
      if (known !== undefined) return known;
      const number = add(cut);
      byText.set(cut, number);
      used += cut.length;
      return number;
    },
    numberAt(bytes, from, to, like) {
      if (like >= 0 && like < all.length && equals(like, bytes, from, to)) return like;
      let hash = 0x811c9dc5;
      let high = 0;
      for (let i = from; i < to; i++) {
        const byte = bytes[i]!;
        high |= byte;
        hash = Math.imul(hash ^ byte, 0x01000193);
      }
      hash ^= hash >>> 15;
      const mask = slots.length - 1;
      let place = hash & mask;
      for (; slots[place] !== 0; place = (place + 1) & mask)
        if (equals(slots[place]! - 1, bytes, from, to)) return slots[place]! - 1;
      const text = high < 128 ? bytes.toString('latin1', from, to) : bytes.toString('utf8', from, to);
      // A batch may bring more than the table has places for: these are told apart no more.
      if (byBytes >= 2 * MOST) return add(text);
      grow(to - from);
      const number = all.push(text) - 1;
      bytes.copy(arena, used, from, to);
      [starts[number], ends[number]] = [used, used + to - from];
      used += to - from;
      slots[place] = number + 1;
      byBytes++;
      return number;
    },
    shorten() {
      if (all.length < MOST && used < MOST_BYTES) return;
      [all, byText, used, byBytes] = [[], new Map(), 0, 0];
      slots = slots.fill(0);
      arena = Buffer.alloc(2 ** 16);
    },
  };
}
