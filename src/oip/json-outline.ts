import { fault, type Source } from './fault.ts';

/** Lists and objects in one text; each costs many times the two bytes that it may be written with. */
const MAX_CONTAINERS = 2 ** 20;
/** Texts in one text, keys among them. */
const MAX_TEXTS = 2 ** 18;
/** Lists and objects inside each other: shapes have at most 32 dimensions. */
const MAX_DEPTH = 64;

/** Texts up to which signs are counted by searching for them. */
const FEW_TEXTS = 1024;

const [QUOTE, BACKSLASH, LIST, LIST_END, OBJECT, OBJECT_END] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Counts what a JSON text is made of before it is parsed. Attacker-controlled: a text of 16 MiB may be five million lists, and a parser
 * that runs out of memory ends the whole process, also in a thread with limits of its own. A text with few signs, as of a tensor that is written flat, costs three searches, others 1 ms a MiB.
 */
export function checkOutline(bytes: Uint8Array, source: Source): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // Sound because what is not there cannot be nested, and signs inside of texts only count too many.
  const lists = countOf(text, LIST, MAX_DEPTH + 1);
  if (
    lists + countOf(text, OBJECT, MAX_DEPTH + 1) <= MAX_DEPTH &&
    countOf(text, QUOTE, FEW_TEXTS) < FEW_TEXTS
  )
    return;
  let [containers, texts, depth] = [0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!;
    // Digits, commas and blanks, of which there are most, take two comparisons.
    if (byte < LIST && byte !== QUOTE) continue;
    if (byte === QUOTE) {
      i = endOfText(text, i);
      if (++texts > MAX_TEXTS) throw fault(source, '', `at most ${MAX_TEXTS} texts in JSON`, 'more');
    } else if (byte === LIST || byte === OBJECT) {
      if (++depth > MAX_DEPTH) throw fault(source, '', `JSON at most ${MAX_DEPTH} deep`, 'deeper');
      if (++containers > MAX_CONTAINERS)
        throw fault(source, '', `at most ${MAX_CONTAINERS} lists and objects in JSON`, 'more');
    } else if (byte === LIST_END || byte === OBJECT_END) depth--;
  }
}

/** How often a byte is there, `most` where it is that often or more. */
function countOf(text: Buffer, byte: number, most: number): number {
  let count = 0;
  for (let at = text.indexOf(byte); at >= 0 && count < most; at = text.indexOf(byte, at + 1)) count++;
  return count;
}

/** Where the text that begins at `start` ends: at its quote, or with everything. */
function endOfText(text: Buffer, start: number): number {
  for (let end = text.indexOf(QUOTE, start + 1); end >= 0; end = text.indexOf(QUOTE, end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === BACKSLASH && end - 1 - escapes > start) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}
