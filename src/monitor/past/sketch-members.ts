import { MOST_ROWS, MOST_WIDTH } from '../packed/record.ts';
import { type JsonScanner, UNUSUAL } from './json-scanner.ts';

/** What a member `sketch` holds: all of it until the next is read. */
export interface SketchMembers {
  /** Reads the members from behind the brace on; gives the place behind the object, or {@link UNUSUAL}. */
  read(bytes: Uint8Array, start: number): number;
  /** Row by row; what is not known is NaN. */
  readonly values: Float32Array;
  readonly samples: Float64Array;
  /** Rows, 0 where there is no sketch, and values of each. */
  readonly rows: () => number;
  readonly width: () => number;
}

const VALUES = Buffer.from('values');
const WIDTH = Buffer.from('width');
const SAMPLES = Buffer.from('samples');

/** Opens what reads sketches as `sightingFromJson` does, without making lists of them. Sketches that it would cut, or that hold anything but numbers and null, are unusual. */
export function openSketchMembers(scan: JsonScanner): SketchMembers {
  const values = new Float32Array(MOST_ROWS * MOST_WIDTH);
  const samples = new Float64Array(MOST_ROWS);
  let bytes: Uint8Array = new Uint8Array(0);
  let [count, width, named, rows] = [-1, -1, -1, 0];

  /** A list of numbers from its bracket on; gives the place behind it and sets `length`. */
  const list = (start: number, into: Float32Array | Float64Array): number => {
    length = 0;
    if (bytes[start] !== 91) return UNUSUAL;
    let at = scan.space(start + 1);
    if (bytes[at] === 93) return at + 1;
    for (;;) {
      if (length === into.length) return UNUSUAL;
      at = number(at);
      if (at === UNUSUAL) return UNUSUAL;
      into[length++] = found;
      at = scan.space(at);
      if (bytes[at] === 93) return at + 1;
      if (bytes[at] !== 44) return UNUSUAL;
      at = scan.space(at + 1);
    }
  };
  let length = 0;

  /** A number, or null for one that is not known. */
  const number = (at: number): number => {
    const first = bytes[at]!;
    if (first === 45 || (first >= 48 && first <= 57)) {
      const end = scan.number(at);
      found = Number.isFinite(scan.value()) ? scan.value() : Number.NaN;
      return end;
    }
    found = Number.NaN;
    return first === 110 ? scan.skip(at) : UNUSUAL;
  };
  let found = 0;

  const member = (from: number, to: number, at: number): number => {
    if (isAt(bytes, from, to, VALUES)) {
      if (count >= 0) return UNUSUAL;
      const end = list(at, values);
      count = length;
      return end;
    }
    if (isAt(bytes, from, to, SAMPLES)) {
      if (named >= 0) return UNUSUAL;
      const end = list(at, samples);
      named = length;
      return end;
    }
    if (isAt(bytes, from, to, WIDTH)) {
      if (width >= 0) return UNUSUAL;
      const end = number(at);
      width = found;
      return width >= 1 ? end : UNUSUAL;
    }
    return scan.skip(at);
  };

  return {
    read(given, start) {
      bytes = given;
      [count, width, named, rows] = [-1, -1, -1, 0];
      let at = scan.space(start);
      if (bytes[at] === 125) return at + 1;
      for (;;) {
        if (bytes[at] !== 34) return UNUSUAL;
        const from = at + 1;
        const end = scan.text(from);
        if (end === UNUSUAL) return UNUSUAL;
        at = scan.space(end + 1);
        if (bytes[at] !== 58) return UNUSUAL;
        at = member(from, end, scan.space(at + 1));
        if (at === UNUSUAL) return UNUSUAL;
        at = scan.space(at);
        if (bytes[at] === 125) break;
        if (bytes[at] !== 44) return UNUSUAL;
        at = scan.space(at + 1);
      }
      if (count <= 0) return count < 0 && width < 0 ? at + 1 : UNUSUAL;
      if (width < 0) width = count;
      rows = Math.floor(count / width);
      if (!Number.isInteger(width) || width > MOST_WIDTH || rows < 1 || rows > MOST_ROWS) return UNUSUAL;
      for (let i = 0; i < rows; i++) if (i >= named || Number.isNaN(samples[i]!)) samples[i] = i;
      return at + 1;
    },
    values,
    samples,
    rows: () => rows,
    width: () => width,
  };
}

function isAt(bytes: Uint8Array, from: number, to: number, name: Uint8Array): boolean {
  if (to - from !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false;
  return true;
}
