import {
  ID,
  MOST_NUMBERS,
  MOST_ROWS,
  MOST_TEXT,
  MOST_WIDTH,
  sketchArea,
  writeRecord,
} from '../packed/record.ts';
import type { Sighting } from '../sighting.ts';
import type { LabelsAfter } from './tell-labels.ts';
import { openTexts, type Texts } from './texts.ts';

/** Some past decisions as they cross to other threads: numbers, sketches, ids as bytes, and each text once. The arrays lie in shared memory, and are used again after {@link ROOMS} − 2 further batches. */
export interface PastBatch {
  readonly count: number;
  /** Records as `packed/record.ts` has them, one after another. */
  readonly numbers: Float64Array;
  readonly floats: Float32Array;
  /** ASCII. */
  readonly ids: Uint8Array;
  /** Texts that are new, and the number of the first of them; 0 where all numbers from before are void. */
  readonly texts: readonly string[];
  readonly textsFrom: number;
  /** Lines that were no decision. */
  readonly skipped: number;
  /** Names of features, where the source names them. */
  readonly features: readonly string[] | undefined;
  /** True labels that are told among these decisions, in order. */
  readonly labels?: readonly LabelsAfter[] | undefined;
}

/** Decisions, numbers, floats and bytes of ids of one batch. */
const COUNT = 4096;
const NUMBERS = COUNT * 64;
const MOST_FLOATS = 2 ** 19;
const IDS = COUNT * 64;
/** Characters of new texts after which a batch is full. */
const TEXTS = 2 ** 21;

/** Rooms for batches: the one that is filled, and those that others still read. */
export const ROOMS = 12;

/** Fills batches. */
export interface BatchWriter {
  readonly texts: Texts;
  /** Where records, ids and sketches are written now; others after {@link take}. */
  readonly numbers: () => Float64Array;
  readonly ids: () => Buffer;
  readonly floats: () => Float32Array;
  /** Whether one more decision fits for certain. */
  hasRoom(): boolean;
  /** Where the next record, the next id and the next sketch begin. */
  readonly at: () => number;
  readonly idAt: () => number;
  readonly floatAt: () => number;
  /** The record that was written from {@link at} on, the id from {@link idAt} on, and the sketch from {@link floatAt} on, end here. */
  close(at: number, idAt: number, floatAt: number): void;
  /** Writes a record of a sighting that was made elsewhere. */
  add(sighting: Sighting): void;
  skip(): void;
  /** Whether there is nothing in it. */
  isEmpty(): boolean;
  /** What is in it; it is empty then. */
  take(features?: readonly string[]): PastBatch;
}

/** Opens an empty one. */
export function openBatchWriter(): BatchWriter {
  const texts = openTexts();
  const rooms: Room[] = [];
  const roomAt = (turn: number): Room => {
    const place = turn % ROOMS;
    rooms[place] ??= {
      numbers: new Float64Array(new SharedArrayBuffer(8 * NUMBERS)),
      floats: new Float32Array(new SharedArrayBuffer(4 * MOST_FLOATS)),
      ids: Buffer.from(new SharedArrayBuffer(IDS)),
    };
    return rooms[place];
  };
  let turn = 0;
  let { numbers, floats, ids } = roomAt(turn);
  let [count, at, used, idAt, skipped, told] = [0, 0, 0, 0, 0, 0];
  let table = texts.all();
  const close = (end: number, idEnd: number, floatEnd: number): void => {
    count++;
    at = end;
    idAt = idEnd;
    used = floatEnd;
  };
  return {
    texts,
    numbers: () => numbers,
    ids: () => ids,
    floats: () => floats,
    at: () => at,
    idAt: () => idAt,
    floatAt: () => used,
    close,
    hasRoom: () =>
      count < COUNT &&
      at + MOST_NUMBERS <= NUMBERS &&
      used + MOST_ROWS * MOST_WIDTH <= MOST_FLOATS &&
      idAt + MOST_TEXT <= IDS &&
      // A text has 512 characters at most.
      texts.all().length - told < TEXTS / MOST_TEXT + COUNT,
    add(sighting) {
      const row = at;
      const end = writeRecord(sighting, { numbers, floats, numberOf: texts.numberOf }, row, used);
      const id = sighting.id.slice(0, MOST_TEXT);
      let idEnd = idAt;
      if (isAscii(id)) {
        idEnd += ids.write(id, idAt, 'latin1');
        numbers[row + ID] = id.length;
      } else numbers[row + ID] = -1 - texts.numberOf(id);
      close(end, idEnd, used + sketchArea(sighting));
    },
    skip() {
      skipped++;
    },
    isEmpty: () => count === 0 && skipped === 0,
    take(features) {
      const textsFrom = table === texts.all() ? told : 0;
      const batch: PastBatch = {
        ...{ count, numbers: numbers.subarray(0, at), floats: floats.subarray(0, used) },
        ...{ ids: ids.subarray(0, idAt), texts: texts.all().slice(textsFrom), textsFrom },
        ...{ skipped, features },
      };
      table = texts.all();
      told = table.length;
      texts.shorten();
      if (texts.all() !== table) told = 0;
      [count, at, used, idAt, skipped] = [0, 0, 0, 0, 0];
      ({ numbers, floats, ids } = roomAt(++turn));
      return batch;
    },
  };
}

interface Room {
  readonly numbers: Float64Array;
  readonly floats: Float32Array;
  readonly ids: Buffer;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
