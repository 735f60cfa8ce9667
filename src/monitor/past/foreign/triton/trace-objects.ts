import { isBlank } from '../../../../oip/json-prefix.ts';
import { mismatch } from '../mismatch.ts';

/** Longest object, in bytes: a tensor of some eight million numbers. */
const MOST = 2 ** 26;
/** Objects and lists inside an object; Triton writes two. */
const MOST_DEPTH = 8;

const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c];
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];
const SHAPE = '"shape"';

/** An object of a trace file. */
export interface TraceObject {
  /** Its JSON, with an empty text in place of its tensor's data. */
  readonly json: Buffer;
  /** The tensor's data as they stand in the file; undefined where it has none. */
  readonly data: Buffer | undefined;
}

/** Whether a list was closed (`whole`), has no bracket (`open`), or ends within an object (`cut`). */
export type TraceEnd = 'whole' | 'open' | 'cut';

/** Cuts a trace file into its objects. */
export interface TraceObjects {
  push(block: Buffer): void;
  /** The next object; undefined where more bytes are needed. Errors: `data/mismatch` for what is no list of objects, also for an object of more than 64 MiB. */
  next(): TraceObject | undefined;
  /** How the file ended: behind its list, between objects, or within one. */
  end(): TraceEnd;
}

/**
 * Opens one for Triton's trace file: a JSON list of objects, which a server that was ended leaves without its bracket, or within an object. Not all of it is JSON: Triton writes `UINT8` and `INT8` as the bytes themselves and texts without escapes
 * (`TraceTensorActivity` in https://github.com/triton-inference-server/server/blob/main/src/tracer.cc). So a tensor's data end where `","shape"` follows, which stands behind the data of every tensor, and which bytes with a comma after each cannot hold. Memory: one object and one block.
 */
export function openTraceObjects(): TraceObjects {
  let held: Buffer = Buffer.alloc(0);
  let at = 0;
  /** Where the object begins; −1 between objects. */
  let from = -1;
  let depth = 0;
  let place: 'before' | 'within' | 'behind' = 'before';
  /** What a member `data` of a tensor has shown of itself: its name, its colon. */
  let member: 'none' | 'name' | 'colon' = 'none';
  let dataFrom = -1;
  let dataTo = -1;

  const between = (): boolean => {
    for (; at < held.length; at++) {
      const byte = held[at]!;
      if (isBlank(byte) || (byte === COMMA && place === 'within')) continue;
      if (byte === LIST && place === 'before') place = 'within';
      else if (byte === LIST_END && place === 'within') place = 'behind';
      else if (byte === OBJECT && place === 'within') {
        [from, depth, member, dataFrom, dataTo] = [at, 0, 'none', -1, -1];
        return true;
      } else throw mismatch(`expected a list of objects, got another byte ${WHERE[place]}`);
    }
    return false;
  };

  /** Goes behind the text at `at`; false where it has no end yet. */
  const text = (): boolean => {
    let end = at;
    do {
      end = held.indexOf(QUOTE, end + 1);
      if (end < 0) return false;
    } while (isEscaped(held, end, at));
    const isData = depth === 2 && end - at === 5 && held.toString('latin1', at + 1, end) === 'data';
    member = isData ? 'name' : 'none';
    at = end + 1;
    return true;
  };

  /** Goes behind the tensor's data, which begin at `dataFrom`; false where they have no end yet. */
  const data = (): boolean => {
    for (;;) {
      const shape = held.indexOf(SHAPE, at);
      if (shape < 0) {
        at = Math.max(at, held.length - SHAPE.length);
        return false;
      }
      at = shape + SHAPE.length;
      let end = shape - 1;
      while (isBlank(held[end])) end--;
      if (held[end] !== COMMA) continue;
      do end--;
      while (isBlank(held[end]));
      if (held[end] !== QUOTE || end < dataFrom) continue;
      [dataTo, at] = [end, end + 1];
      return true;
    }
  };

  const taken = (): TraceObject => {
    const whole = held.subarray(from, at);
    from = -1;
    if (dataTo < 0) return { json: whole, data: undefined };
    return {
      json: Buffer.concat([held.subarray(at - whole.length, dataFrom), held.subarray(dataTo, at)]),
      data: held.subarray(dataFrom, dataTo),
    };
  };

  const within = (): TraceObject | undefined => {
    for (;;) {
      if (dataFrom >= 0 && dataTo < 0 && !data()) return undefined;
      const byte = held[at];
      if (byte === undefined) return undefined;
      if (byte === QUOTE && member === 'colon' && dataFrom < 0) {
        [dataFrom, member] = [at + 1, 'none'];
        at++;
      } else if (byte === QUOTE) {
        if (!text()) return undefined;
      } else {
        at++;
        if (byte === COLON && member === 'name') member = 'colon';
        else if (!isBlank(byte)) member = 'none';
        if (byte === OBJECT || byte === LIST) {
          if (++depth > MOST_DEPTH)
            throw mismatch(`expected an object at most ${MOST_DEPTH} deep, got a deeper one`);
        } else if ((byte === OBJECT_END || byte === LIST_END) && --depth === 0) return taken();
      }
    }
  };

  return {
    push(block) {
      const start = from < 0 ? at : from;
      held = start === held.length ? block : Buffer.concat([held.subarray(start), block]);
      at -= start;
      if (from >= 0) from = 0;
      if (dataFrom >= 0) dataFrom -= start;
      if (dataTo >= 0) dataTo -= start;
    },
    next() {
      if (from < 0 && !between()) return undefined;
      const found = within();
      if (found === undefined && held.length - from > MOST)
        throw mismatch(`expected objects of at most ${MOST} bytes, got a longer one`);
      return found;
    },
    end: () => (from >= 0 ? 'cut' : place === 'behind' ? 'whole' : 'open'),
  };
}

const WHERE = { before: 'at the beginning', within: 'between them', behind: 'behind the list' } as const;

/** Whether the quote at `end` has an odd number of backslashes before it, of a text that begins at `start`. */
function isEscaped(bytes: Buffer, end: number, start: number): boolean {
  let count = 0;
  while (end - 1 - count > start && bytes[end - 1 - count] === BACKSLASH) count++;
  return count % 2 === 1;
}
