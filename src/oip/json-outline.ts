import { fault, type Source } from './fault.ts';

/** Lists and objects in one text; each costs many times the two bytes that it may be written with. */
const MAX_CONTAINERS = 2 ** 20;
/** Texts in one text, keys among them. */
const MAX_TEXTS = 2 ** 18;
/** Lists and objects inside each other: shapes have at most 32 dimensions. */
const MAX_DEPTH = 64;

/** Bytes for each sign, on average, from which searching for signs costs less than looking at each byte. */
const SPARSE = 64;

const [QUOTE, BACKSLASH, LIST, LIST_END, OBJECT, OBJECT_END] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Counts what a JSON text is made of before it is parsed. Attacker-controlled: a text of 16 MiB may be five million lists, and a parser
 * that runs out of memory ends the whole process, also in a thread with limits of its own. A text with few signs, as of a tensor, costs some searches, others 3 ms a MiB.
 */
export function checkOutline(bytes: Uint8Array, source: Source): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const most = Math.floor(text.length / SPARSE);
  let signs = 0;
  for (const sign of [QUOTE, LIST, OBJECT]) signs += countOf(text, sign, most + 1 - signs);
  // A closing sign for each that opens is no surprise; more of them only cost time.
  const ends = signs <= most ? countOf(text, LIST_END, most + 1) + countOf(text, OBJECT_END, most + 1) : 0;
  const next = signs <= most && ends <= most ? bySearching(text) : byLooking(text);
  let [containers, texts, depth] = [0, 0, 0];
  for (let at = next(0); at < text.length; at = next(at + 1)) {
    const byte = text[at]!;
    if (byte === QUOTE) {
      at = endOfText(text, at);
      if (++texts > MAX_TEXTS) throw fault(source, '', `at most ${MAX_TEXTS} texts in JSON`, 'more');
    } else if (byte === LIST || byte === OBJECT) {
      if (++depth > MAX_DEPTH) throw fault(source, '', `JSON at most ${MAX_DEPTH} deep`, 'deeper');
      if (++containers > MAX_CONTAINERS)
        throw fault(source, '', `at most ${MAX_CONTAINERS} lists and objects in JSON`, 'more');
    } else depth--;
  }
}

/** Gives the place of the next sign from a place on; the text's length where there is none. */
type NextSign = (from: number) => number;

/** Byte by byte. */
function byLooking(text: Buffer): NextSign {
  return (from) => {
    let at = from;
    for (; at < text.length; at++) {
      const byte = text[at]!;
      // Digits, commas and blanks, of which there are most, take two comparisons.
      if (byte < LIST && byte !== QUOTE) continue;
      if (byte === QUOTE || byte === LIST || byte === OBJECT || byte === LIST_END || byte === OBJECT_END)
        return at;
    }
    return at;
  };
}

/** By a search for each kind of sign, which is repeated when the last one found has been passed. */
function bySearching(text: Buffer): NextSign {
  const kinds = [QUOTE, LIST, LIST_END, OBJECT, OBJECT_END];
  const places = kinds.map(() => -1);
  return (from) => {
    let nearest = text.length;
    for (let kind = 0; kind < kinds.length; kind++) {
      if (places[kind]! < from) {
        const found = text.indexOf(kinds[kind]!, from);
        places[kind] = found < 0 ? text.length : found;
      }
      nearest = Math.min(nearest, places[kind]!);
    }
    return nearest;
  };
}

/** How often a byte is there, `most` where it is that often or more. */
function countOf(text: Buffer, byte: number, most: number): number {
  let count = 0;
  for (let at = text.indexOf(byte); at >= 0 && count < most; at = text.indexOf(byte, at + 1)) count++;
  return count;
}

/** Where the text that begins with the quote at `start` ends: at its last quote, or with everything. */
export function endOfText(text: Buffer, start: number): number {
  for (let end = text.indexOf(QUOTE, start + 1); end >= 0; end = text.indexOf(QUOTE, end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === BACKSLASH && end - 1 - escapes > start) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}
