import type { Sighting } from '../sighting.ts';

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
/** Where ids lie as bytes: how many bytes it has, which come after those of the one before. Otherwise −1 less the number of a text. */
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

/** Bounds of one sighting: what goes beyond is cut off, whoever sent it. */
export const MOST_TEXT = 512;
export const MOST_GUARDS = 32;
export const MOST_TOP = 64;
export const MOST_DIMS = 16;
export const MOST_ROWS = 64;
export const MOST_WIDTH = 1024;
/** Numbers of one record at most. */
export const MOST_NUMBERS = HEADER + 4 * MOST_GUARDS + MOST_DIMS + 4 + 2 * MOST_TOP + MOST_ROWS;

/** Where a record is written, and the number of a text. */
export interface RecordRoom {
  readonly numbers: Float64Array;
  readonly floats: Float32Array;
  /** −1 for none. */
  readonly numberOf: (text: string | undefined) => number;
}

/** Floats that the sketch of a sighting takes; none where its rows are too wide. */
export function sketchArea({ sketch }: Sighting): number {
  if (sketch === undefined || sketch.width > MOST_WIDTH) return 0;
  return Math.min(MOST_ROWS, sketch.rows) * sketch.width;
}

/**
 * Writes a sighting from `row` on, all but its id, its sketch from `used` on; gives where the next record begins. There must be room for {@link MOST_NUMBERS} and {@link sketchArea}. Cost: about a microsecond; texts that
 * repeat (principals, models) cost a look into a map.
 */
export function writeRecord(
  sighting: Sighting,
  { numbers, floats, numberOf }: RecordRoom,
  row: number,
  used: number,
): number {
  const { guards, input, top, sketch } = sighting;
  const area = sketchArea(sighting);
  const rows = area > 0 ? Math.min(MOST_ROWS, sketch!.rows) : 0;
  numbers[row + AT] = sighting.at;
  numbers[row + ENTRY] = sighting.entry ?? Number.NaN;
  numbers[row + PRINCIPAL] = numberOf(sighting.principal);
  numbers[row + TENANT] = numberOf(sighting.tenant);
  numbers[row + CREDENTIAL] = numberOf(sighting.credential);
  numbers[row + ADDRESS] = numberOf(sighting.address);
  numbers[row + MODEL] = numberOf(sighting.model);
  numbers[row + VERSION] = numberOf(sighting.version);
  numbers[row + DIGEST] = numberOf(sighting.digest);
  numbers[row + OUTCOME] = numberOf(sighting.outcome);
  numbers[row + BECAUSE] = numberOf(sighting.because);
  numbers[row + DETAIL] = numberOf(sighting.detail);
  numbers[row + SAMPLES] = sighting.n;
  numbers[row + DIVERGENCE] = sighting.divergence ?? Number.NaN;
  numbers[row + BUCKET] = sighting.bucket;
  const said = Math.min(MOST_GUARDS, guards.length);
  const dims = input === undefined ? -1 : Math.min(MOST_DIMS, input.shape.length);
  const classes = top === undefined ? -1 : Math.min(MOST_TOP, top.length);
  numbers[row + GUARDS] = said;
  numbers[row + DIMS] = dims;
  numbers[row + TOP] = classes;
  numbers[row + ROWS] = rows;
  numbers[row + WIDTH] = sketch?.width ?? 0;
  numbers[row + FLOATS] = used;
  let end = row + HEADER;
  for (let i = 0; i < said; i++) {
    const { guard, action, score, because } = guards[i]!;
    numbers[end++] = numberOf(guard);
    numbers[end++] = numberOf(action);
    numbers[end++] = score;
    numbers[end++] = numberOf(because);
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
  for (let i = 0; i < rows; i++) numbers[end++] = sketch!.samples[i] ?? i;
  if (area > 0)
    floats.set(sketch!.values.length === area ? sketch!.values : sketch!.values.subarray(0, area), used);
  return end;
}

/** Where the record after the one at `row` begins. */
export function endOf(numbers: Float64Array, row: number): number {
  const dims = numbers[row + DIMS]!;
  return (
    row +
    HEADER +
    4 * numbers[row + GUARDS]! +
    (dims < 0 ? 0 : dims + 4) +
    2 * Math.max(0, numbers[row + TOP]!) +
    numbers[row + ROWS]!
  );
}
