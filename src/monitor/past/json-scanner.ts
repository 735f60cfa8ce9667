/** No place: what stands here is unusual, or no JSON at all. */
export const UNUSUAL = -1;

/** Finds where values of JSON end, byte by byte. Each takes a place and gives the one behind the value, or {@link UNUSUAL}. A line feed must stand behind all that is read. */
export interface JsonScanner {
  /** What is read from now on. */
  open(bytes: Uint8Array): void;
  /** Behind blanks; a line feed is none here. */
  space(at: number): number;
  /** From behind the quote on; gives the place of the quote at the end. Escapes are unusual. */
  text(at: number): number;
  /** Whether the last text has bytes beyond ASCII. */
  isWide(): boolean;
  number(at: number): number;
  /** The last number, to the last bit what JSON.parse gives. */
  value(): number;
  /** Any value. Nesting beyond {@link DEEPEST} is unusual. */
  skip(at: number): number;
}

const DEEPEST = 32;

/** Powers of ten that float64 holds exactly; digits that it holds exactly in any case. */
const TENS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);
const DIGITS = 15;

/** Opens one. */
export function openJsonScanner(): JsonScanner {
  let bytes: Uint8Array = new Uint8Array(0);
  let [value, wide] = [0, false];
  const space = (at: number): number => {
    let byte = bytes[at]!;
    while (byte === 32 || byte === 9 || byte === 13) byte = bytes[++at]!;
    return at;
  };
  const text = (at: number): number => {
    let high = 0;
    for (;;) {
      const byte = bytes[at]!;
      if (byte === 34) break;
      // 92: a backslash
      if (byte === 92 || byte < 32) return UNUSUAL;
      high |= byte;
      at++;
    }
    wide = high > 127;
    return at;
  };
  const number = (start: number): number => {
    let at = start;
    let byte = bytes[at]!;
    if (byte === 45) byte = bytes[++at]!;
    const first = at;
    let digits = 0;
    while (byte >= 48 && byte <= 57) {
      digits = 10 * digits + (byte - 48);
      byte = bytes[++at]!;
    }
    let count = at - first;
    if (count === 0 || (count > 1 && bytes[first] === 48)) return UNUSUAL;
    let fraction = 0;
    if (byte === 46) {
      byte = bytes[++at]!;
      const from = at;
      while (byte >= 48 && byte <= 57) {
        digits = 10 * digits + (byte - 48);
        byte = bytes[++at]!;
      }
      fraction = at - from;
      if (fraction === 0) return UNUSUAL;
      count += fraction;
    }
    // 69 and 101: E and e
    const isPlain = byte !== 69 && byte !== 101;
    if (!isPlain) {
      byte = bytes[++at]!;
      if (byte === 43 || byte === 45) byte = bytes[++at]!;
      const from = at;
      while (byte >= 48 && byte <= 57) byte = bytes[++at]!;
      if (at === from) return UNUSUAL;
    }
    if (isPlain && count <= DIGITS) {
      // Both are exact, so one division rounds once (Clinger 1990, "How to read floating point numbers accurately").
      const size = fraction === 0 ? digits : digits / TENS[fraction]!;
      value = bytes[start] === 45 ? -size : size;
    } else {
      let written = '';
      for (let i = start; i < at; i++) written += String.fromCharCode(bytes[i]!);
      value = Number(written);
    }
    return at;
  };
  const word = (at: number, rest: string): number => {
    for (let i = 0; i < rest.length; i++) if (bytes[at + i] !== rest.charCodeAt(i)) return UNUSUAL;
    return at + rest.length;
  };
  const skip = (at: number, depth: number): number => {
    const first = bytes[at]!;
    if (first === 34) {
      const end = text(at + 1);
      return end === UNUSUAL ? UNUSUAL : end + 1;
    }
    if (first === 45 || (first >= 48 && first <= 57)) return number(at);
    if (first === 116) return word(at, 'true');
    if (first === 102) return word(at, 'false');
    if (first === 110) return word(at, 'null');
    // 91 and 123: [ and {, whose ends are two places on in ASCII
    if ((first !== 91 && first !== 123) || depth >= DEEPEST) return UNUSUAL;
    let place = space(at + 1);
    if (bytes[place] === first + 2) return place + 1;
    for (;;) {
      if (first === 123) {
        if (bytes[place] !== 34) return UNUSUAL;
        const end = text(place + 1);
        if (end === UNUSUAL) return UNUSUAL;
        place = space(end + 1);
        if (bytes[place] !== 58) return UNUSUAL;
        place = space(place + 1);
      }
      place = skip(place, depth + 1);
      if (place === UNUSUAL) return UNUSUAL;
      place = space(place);
      if (bytes[place] === first + 2) return place + 1;
      if (bytes[place] !== 44) return UNUSUAL;
      place = space(place + 1);
    }
  };
  return {
    open(given) {
      bytes = given;
    },
    space,
    text,
    isWide: () => wide,
    number,
    value: () => value,
    skip: (at) => skip(at, 0),
  };
}
