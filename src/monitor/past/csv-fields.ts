import { openJsonScanner } from './json-scanner.ts';
import type { Texts } from './texts.ts';

/** The fields of one line of CSV as places among its bytes. All of it holds until the next line is split. */
export interface CsvFields {
  /** Finds the fields of the line from `from` to `to`; gives how many there are, undefined where a field has quotes within or is broken. */
  split(bytes: Buffer, from: number, to: number): number | undefined;
  isEmpty(field: number): boolean;
  is(field: number, text: string): boolean;
  /** Bytes of a field. */
  lengthOf(field: number): number;
  /** The number in a field; NaN where it is none, or in a spelling that JSON does not have. */
  numberAt(field: number): number;
  /** The time in a field, in milliseconds since 1970; NaN where it is none, or in a spelling other than the usual two: `2026-11-23T07:32:29.123Z`, and digits. */
  timeAt(field: number): number;
  /** The number of its text in the table. */
  textAt(field: number, texts: Texts, before: number): number;
  stringAt(field: number): string;
  /** Copies it to a place; gives how long it is, −1 where it is not ASCII. */
  copyAscii(field: number, into: Uint8Array, at: number): number;
}

/** `2026-11-23T07:32` */
const MINUTE = 16;

/** Opens what splits lines into `count` fields; of longer lines it says no more than that they are longer. */
export function openCsvFields(count: number): CsvFields {
  const scan = openJsonScanner();
  const starts = new Int32Array(count + 1);
  const ends = new Int32Array(count + 1);
  /** The minute that was read last, which mostly is the next one's, too. */
  const minute = new Uint8Array(MINUTE);
  let since = Number.NaN;
  let bytes: Buffer = Buffer.alloc(0);

  const numberIn = (from: number, to: number): number =>
    (bytes[from] === 45 || isDigit(bytes[from]!)) && scan.number(from) === to ? scan.value() : Number.NaN;
  const digitsAt = (from: number, length: number): number => {
    let value = 0;
    for (let i = from; i < from + length; i++) {
      const digit = bytes[i]! - 48;
      if (!(digit >= 0 && digit <= 9)) return Number.NaN;
      value = 10 * value + digit;
    }
    return value;
  };
  /** When the minute that is written from `from` on began. */
  const minuteAt = (from: number): number => {
    let i = 0;
    while (i < MINUTE && minute[i] === bytes[from + i]) i++;
    if (i === MINUTE) return since;
    minute.set(bytes.subarray(from, from + MINUTE));
    const text = bytes.toString('latin1', from, from + MINUTE);
    since = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d$/.test(text) ? Date.parse(`${text}:00Z`) : Number.NaN;
    return since;
  };
  const isoIn = (from: number, to: number): number => {
    const length = to - from;
    if ((length !== 20 && length !== 24) || bytes[to - 1] !== 90 || bytes[from + MINUTE] !== 58)
      return Number.NaN;
    const seconds = digitsAt(from + 17, 2);
    if (seconds > 59) return Number.NaN;
    if (length === 20) return minuteAt(from) + 1000 * seconds;
    return bytes[from + 19] === 46 ? minuteAt(from) + 1000 * seconds + digitsAt(from + 20, 3) : Number.NaN;
  };

  return {
    split(given, from, to) {
      bytes = given;
      scan.open(given);
      const last = to > from && bytes[to - 1] === 13 ? to - 1 : to;
      let at = from;
      let found = 0;
      for (;;) {
        let end = at;
        if (bytes[at] === 34 && at < last) {
          end = ++at;
          while (end < last && bytes[end] !== 34) end++;
          const next = end + 1;
          if (end >= last || (next < last && bytes[next] !== 44)) return undefined;
          if (found <= count) [starts[found], ends[found]] = [at, end];
          end = next;
        } else {
          while (end < last && bytes[end] !== 44) end++;
          if (found <= count) [starts[found], ends[found]] = [at, end];
        }
        found++;
        if (end >= last) return found;
        at = end + 1;
      }
    },
    isEmpty: (field) => starts[field] === ends[field],
    is(field, text) {
      if (ends[field]! - starts[field]! !== text.length) return false;
      for (let i = 0; i < text.length; i++)
        if (bytes[starts[field]! + i] !== text.charCodeAt(i)) return false;
      return true;
    },
    lengthOf: (field) => ends[field]! - starts[field]!,
    numberAt: (field) => numberIn(starts[field]!, ends[field]!),
    timeAt(field) {
      const [from, to] = [starts[field]!, ends[field]!];
      if (bytes[from + 4] === 45) return isoIn(from, to);
      for (let i = from; i < to; i++) if (bytes[i] !== 46 && !isDigit(bytes[i]!)) return Number.NaN;
      const value = numberIn(from, to);
      return value < 1e11 ? 1000 * value : value;
    },
    textAt: (field, texts, before) => texts.numberAt(bytes, starts[field]!, ends[field]!, before),
    stringAt: (field) => bytes.toString('utf8', starts[field]!, ends[field]!),
    copyAscii(field, into, at) {
      const [from, to] = [starts[field]!, ends[field]!];
      for (let i = from; i < to; i++) {
        if (bytes[i]! > 127) return -1;
        into[at + i - from] = bytes[i]!;
      }
      return to - from;
    },
  };
}

const isDigit = (byte: number): boolean => byte >= 48 && byte <= 57;
