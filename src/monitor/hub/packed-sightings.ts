import {
  endOf,
  FLOATS,
  ID,
  MOST_NUMBERS,
  MOST_TEXT,
  ROWS,
  sketchArea,
  WIDTH,
  writeRecord,
} from '../packed/record.ts';
import { RecordSighting } from '../packed/record-sighting.ts';
import type { Sighting } from '../sighting.ts';

/** Sightings as they cross to the thread of the monitors: numbers, sketches, and each text once. */
export interface PackedSightings {
  readonly count: number;
  readonly numbers: Float64Array;
  readonly floats: Float32Array;
  readonly texts: readonly string[];
}

/** See {@link sightingPacker}. */
export interface SightingPacker {
  /** Adds one; false where it is full, and what is in it must be taken first. */
  add(sighting: Sighting): boolean;
  readonly count: () => number;
  /** What was added since the last time; the arrays are the taker's. */
  take(): PackedSightings;
  /** Gives arrays back to be used again. */
  recycle(numbers: Float64Array, floats: Float32Array): void;
}

/** Arrays of one batch: 300 calls with a row of 200 features fit, or the largest sighting alone. Fresh ones are pages that the system has to zero (2 MiB: 8 ms of the main thread), so they are small, and kept. */
const ROOM_NUMBERS = 2 ** 14;
const ROOM_FLOATS = 2 ** 16;
const MOST_CALLS = 256;
const MOST_SPARE = 32;

/**
 * Puts sightings into arrays that cross threads without being copied: about a microsecond each, texts that repeat (principals, models) cost a look into a map. Arrays that come back are used again,
 * so that a steady flow allocates nothing large.
 */
export function sightingPacker(): SightingPacker {
  const spare: Room[] = [];
  let { numbers, floats }: Room = fresh();
  let texts: string[] = [];
  let numbered = new Map<string, number>();
  let [at, used, count] = [0, 0, 0];
  const numberOf = (text: string | undefined): number => {
    if (text === undefined) return -1;
    const cut = text.length > MOST_TEXT ? text.slice(0, MOST_TEXT) : text;
    const known = numbered.get(cut);
    if (known !== undefined) return known;
    numbered.set(cut, texts.length);
    return texts.push(cut) - 1;
  };
  return {
    count: () => count,
    add(sighting) {
      const area = sketchArea(sighting);
      if (count >= MOST_CALLS || at + MOST_NUMBERS > numbers.length || used + area > floats.length)
        return false;
      count++;
      numbers[at + ID] = -texts.push(sighting.id.slice(0, MOST_TEXT));
      at = writeRecord(sighting, { numbers, floats, numberOf }, at, used);
      used += area;
      return true;
    },
    take() {
      const taken = { count, numbers, floats, texts };
      ({ numbers, floats } = spare.pop() ?? fresh());
      texts = [];
      numbered = new Map();
      [at, used, count] = [0, 0, 0];
      return taken;
    },
    recycle(given, sketches) {
      if (spare.length < MOST_SPARE && given.length === ROOM_NUMBERS && sketches.length === ROOM_FLOATS)
        spare.push({ numbers: given, floats: sketches });
    },
  };
}

interface Room {
  readonly numbers: Float64Array;
  readonly floats: Float32Array;
}

const fresh = (): Room => ({
  numbers: new Float64Array(ROOM_NUMBERS),
  floats: new Float32Array(ROOM_FLOATS),
});

/** Reads what a {@link sightingPacker} put together. The arrays are copied as far as they are filled, because they go back. */
export function unpackSightings({ count, numbers, floats, texts }: PackedSightings): readonly Sighting[] {
  const rows = new Int32Array(count + 1);
  let used = 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    if (numbers[row + ROWS]! > 0)
      used = numbers[row + FLOATS]! + numbers[row + ROWS]! * numbers[row + WIDTH]!;
    rows[i + 1] = endOf(numbers, row);
  }
  const room = { numbers: numbers.slice(0, rows[count]!), floats: floats.slice(0, used), texts };
  return Array.from({ length: count }, (_, i) => {
    const row = rows[i]!;
    return new RecordSighting(room, row, texts[-1 - numbers[row + ID]!]!);
  });
}
