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

/** Bounds of one sighting: what goes beyond is cut off, whoever sent it. */
const MOST_GUARDS = 32;
const MOST_TOP = 64;
const MOST_DIMS = 16;
const MOST_TEXT = 512;
const MOST_ROWS = 64;
const MOST_WIDTH = 1024;

/** Numbers of one sighting at most: fixed ones, guards, likeliest classes, shape, rows. */
const FIXED = 23;
const MOST_NUMBERS = FIXED + 4 * MOST_GUARDS + 2 * MOST_TOP + MOST_DIMS + MOST_ROWS;

/** Arrays of one batch: 300 calls with a row of 200 features fit, or the largest sighting alone. Fresh ones are pages that the system has to zero (2 MiB: 8 ms of the main thread), so they are small, and kept. */
const NUMBERS = 2 ** 14;
const FLOATS = 2 ** 16;
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
  const put = (text: string | undefined): void => {
    numbers[at++] = numberOf(text);
  };
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
      const { guards, input, top, sketch } = sighting;
      const rows = sketch === undefined ? 0 : Math.min(MOST_ROWS, sketch.rows);
      const width = sketch?.width ?? 0;
      const area = width <= MOST_WIDTH ? rows * width : 0;
      if (count >= MOST_CALLS || at + MOST_NUMBERS > numbers.length || used + area > floats.length)
        return false;
      count++;
      numbers[at++] = texts.push(sighting.id.slice(0, MOST_TEXT)) - 1;
      numbers[at++] = sighting.entry ?? -1;
      numbers[at++] = sighting.at;
      put(sighting.principal);
      put(sighting.tenant);
      put(sighting.credential);
      put(sighting.address);
      put(sighting.model);
      put(sighting.version);
      put(sighting.digest);
      numbers[at++] = sighting.n;
      put(sighting.outcome);
      put(sighting.because);
      put(sighting.detail);
      numbers[at++] = sighting.divergence ?? Number.NaN;
      numbers[at++] = sighting.bucket;
      const said = Math.min(MOST_GUARDS, guards.length);
      numbers[at++] = said;
      for (let i = 0; i < said; i++) {
        const { guard, action, score, because } = guards[i]!;
        put(guard);
        put(action);
        numbers[at++] = score;
        put(because);
      }
      const dims = input === undefined ? -1 : Math.min(MOST_DIMS, input.shape.length);
      numbers[at++] = dims;
      if (input !== undefined) {
        for (let i = 0; i < dims; i++) numbers[at++] = input.shape[i]!;
        numbers[at++] = input.mean;
        numbers[at++] = input.deviation;
        numbers[at++] = input.least;
        numbers[at++] = input.most;
      }
      const classes = top === undefined ? -1 : Math.min(MOST_TOP, top.length);
      numbers[at++] = classes;
      for (let i = 0; i < classes; i++) {
        numbers[at++] = top![i]![0];
        numbers[at++] = top![i]![1];
      }
      numbers[at++] = area > 0 ? rows : 0;
      if (area > 0) {
        numbers[at++] = width;
        for (let i = 0; i < rows; i++) numbers[at++] = sketch!.samples[i] ?? i;
        floats.set(sketch!.values.length === area ? sketch!.values : sketch!.values.subarray(0, area), used);
        used += area;
      }
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
      if (spare.length < MOST_SPARE && given.length === NUMBERS && sketches.length === FLOATS)
        spare.push({ numbers: given, floats: sketches });
    },
  };
}

interface Room {
  readonly numbers: Float64Array;
  readonly floats: Float32Array;
}

const fresh = (): Room => ({ numbers: new Float64Array(NUMBERS), floats: new Float32Array(FLOATS) });

/** Reads what a {@link sightingPacker} put together. The rows are copies. */
export function unpackSightings({ count, numbers, floats, texts }: PackedSightings): readonly Sighting[] {
  const all = new Array<Sighting>(count);
  let [at, used] = [0, 0];
  const text = (): string | undefined => texts[numbers[at++]!];
  for (let i = 0; i < count; i++) {
    const id = text() ?? '';
    const entry = numbers[at++]!;
    const time = numbers[at++]!;
    const principal = text();
    const tenant = text();
    const credential = text();
    const address = text() ?? '';
    const model = text() ?? '';
    const version = text();
    const digest = text();
    const n = numbers[at++]!;
    const outcome = text() ?? '';
    const because = text();
    const detail = text();
    const divergence = numbers[at++]!;
    const bucket = numbers[at++]!;
    const said = numbers[at++]!;
    const guards: Sighting['guards'][number][] = [];
    for (let g = 0; g < said; g++) {
      const guard = text() ?? '';
      const action = text() ?? '';
      const score = numbers[at++]!;
      guards.push({ guard, action, score, because: text() });
    }
    const dims = numbers[at++]!;
    let input: Sighting['input'];
    if (dims >= 0) {
      const shape = Array.from(numbers.subarray(at, at + dims));
      at += dims;
      input = {
        shape,
        mean: numbers[at]!,
        deviation: numbers[at + 1]!,
        least: numbers[at + 2]!,
        most: numbers[at + 3]!,
      };
      at += 4;
    }
    const classes = numbers[at++]!;
    let top: (readonly [number, number])[] | undefined;
    if (classes >= 0) {
      top = [];
      for (let k = 0; k < classes; k++, at += 2) top.push([numbers[at]!, numbers[at + 1]!]);
    }
    const rows = numbers[at++]!;
    let sketch: Sighting['sketch'];
    if (rows > 0) {
      const width = numbers[at++]!;
      const samples = Array.from(numbers.subarray(at, at + rows));
      at += rows;
      sketch = { values: floats.slice(used, used + rows * width), rows, width, samples };
      used += rows * width;
    }
    all[i] = {
      id,
      entry: entry < 0 ? undefined : entry,
      at: time,
      ...{ principal, tenant, credential, address, model, version, digest, n, outcome, because, detail },
      ...{ guards, input, top, bucket, sketch },
      divergence: Number.isNaN(divergence) ? undefined : divergence,
    };
  }
  return all;
}
