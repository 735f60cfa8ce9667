import type { Sighting } from '../sighting.ts';
import { MOST_TEXT, openTexts, type Texts } from './texts.ts';

/** Some past decisions as they cross to other threads: numbers, sketches, ids as bytes, and each text once. The arrays lie in shared memory, and are used again after {@link ROOMS} − 2 further batches. */
export interface PastBatch {
  readonly count: number;
  /** Records of {@link HEADER} numbers and what varies in length, one after another. */
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
}

/** Places in a record. Texts are numbers, −1 for none; NaN stands for a number that is not known. */
export const AT = 0;
export const ENTRY = 1;
export const PRINCIPAL = 2;
export const TENANT = 3;
export const CREDENTIAL = 4;
export const ADDRESS = 5;
export const MODEL = 6;
export const VERSION = 7;
export const DIGEST = 8;
export const OUTCOME = 9;
export const BECAUSE = 10;
export const DETAIL = 11;
export const SAMPLES = 12;
export const DIVERGENCE = 13;
export const BUCKET = 14;
/** How many bytes the id has, which come after those of the one before; −1 less the number of a text where it is not ASCII. */
export const ID = 15;
/** How many there are of what follows the header, in this order: guards (four numbers each), sizes of the input (then four numbers; −1 for no input), likeliest classes (two numbers each; −1 for none), rows of the sketch. */
export const GUARDS = 16;
export const DIMS = 17;
export const TOP = 18;
export const ROWS = 19;
export const WIDTH = 20;
/** Where the sketch begins among the floats. */
export const FLOATS = 21;
/** Numbers before what varies in length. */
export const HEADER = 22;

/** Bounds of one decision: what goes beyond is cut off. */
export const MOST_GUARDS = 32;
export const MOST_TOP = 64;
export const MOST_DIMS = 16;
const MOST_ROWS = 64;
const MOST_WIDTH = 1024;
const MOST_NUMBERS = HEADER + 4 * MOST_GUARDS + MOST_DIMS + 4 + 2 * MOST_TOP + MOST_ROWS;

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
  /** Where records and ids are written now; others after {@link take}. */
  readonly numbers: () => Float64Array;
  readonly ids: () => Buffer;
  /** Whether one more decision fits for certain. */
  hasRoom(): boolean;
  /** Where the next record and the next id begin. */
  readonly at: () => number;
  readonly idAt: () => number;
  /** The record that was written from {@link at} on, and the id from {@link idAt} on, end here. */
  close(at: number, idAt: number): void;
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
  const close = (end: number, idEnd: number): void => {
    count++;
    at = end;
    idAt = idEnd;
  };
  return {
    texts,
    numbers: () => numbers,
    ids: () => ids,
    at: () => at,
    idAt: () => idAt,
    close,
    hasRoom: () =>
      count < COUNT &&
      at + MOST_NUMBERS <= NUMBERS &&
      used + MOST_ROWS * MOST_WIDTH <= MOST_FLOATS &&
      idAt + MOST_TEXT <= IDS &&
      // A text has 512 characters at most.
      texts.all().length - told < TEXTS / MOST_TEXT + COUNT,
    add(sighting) {
      const { guards, input, top, sketch } = sighting;
      const row = at;
      const rows = sketch === undefined ? 0 : Math.min(MOST_ROWS, sketch.rows);
      const width = sketch?.width ?? 0;
      const area = width <= MOST_WIDTH ? rows * width : 0;
      numbers[row + AT] = sighting.at;
      numbers[row + ENTRY] = sighting.entry ?? Number.NaN;
      numbers[row + PRINCIPAL] = texts.numberOf(sighting.principal);
      numbers[row + TENANT] = texts.numberOf(sighting.tenant);
      numbers[row + CREDENTIAL] = texts.numberOf(sighting.credential);
      numbers[row + ADDRESS] = texts.numberOf(sighting.address);
      numbers[row + MODEL] = texts.numberOf(sighting.model);
      numbers[row + VERSION] = texts.numberOf(sighting.version);
      numbers[row + DIGEST] = texts.numberOf(sighting.digest);
      numbers[row + OUTCOME] = texts.numberOf(sighting.outcome);
      numbers[row + BECAUSE] = texts.numberOf(sighting.because);
      numbers[row + DETAIL] = texts.numberOf(sighting.detail);
      numbers[row + SAMPLES] = sighting.n;
      numbers[row + DIVERGENCE] = sighting.divergence ?? Number.NaN;
      numbers[row + BUCKET] = sighting.bucket;
      const id = sighting.id.slice(0, MOST_TEXT);
      let idEnd = idAt;
      if (isAscii(id)) {
        idEnd += ids.write(id, idAt, 'latin1');
        numbers[row + ID] = id.length;
      } else numbers[row + ID] = -1 - texts.numberOf(id);
      const said = Math.min(MOST_GUARDS, guards.length);
      const dims = input === undefined ? -1 : Math.min(MOST_DIMS, input.shape.length);
      const classes = top === undefined ? -1 : Math.min(MOST_TOP, top.length);
      numbers[row + GUARDS] = said;
      numbers[row + DIMS] = dims;
      numbers[row + TOP] = classes;
      numbers[row + ROWS] = area > 0 ? rows : 0;
      numbers[row + WIDTH] = width;
      numbers[row + FLOATS] = used;
      let end = row + HEADER;
      for (let i = 0; i < said; i++) {
        const { guard, action, score, because } = guards[i]!;
        numbers[end++] = texts.numberOf(guard);
        numbers[end++] = texts.numberOf(action);
        numbers[end++] = score;
        numbers[end++] = texts.numberOf(because);
      }
      if (input !== undefined) {
        for (let i = 0; i < dims; i++) numbers[end++] = input.shape[i]!;
        numbers[end++] = input.mean;
        numbers[end++] = input.deviation;
        numbers[end++] = input.least;
        numbers[end++] = input.most;
      }
      for (let i = 0; i < classes; i++) {
        numbers[end++] = top![i]![0];
        numbers[end++] = top![i]![1];
      }
      if (area > 0) {
        for (let i = 0; i < rows; i++) numbers[end++] = sketch!.samples[i] ?? i;
        floats.set(sketch!.values.subarray(0, area), used);
        used += area;
      }
      close(end, idEnd);
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
