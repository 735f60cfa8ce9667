import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';

/** What a sketch is made of. */
export interface SketchSource {
  /** Sizes of one sample, without the batch. */
  readonly sampleDims: readonly number[];
  /** Element type by the protocol's name; bytes of pictures (`UINT8`) become 0–1. */
  readonly datatype?: string | undefined;
  /** Names of a table's columns. */
  readonly names?: readonly string[] | undefined;
}

/** A small picture for people: row-major with channels last, 0–1. */
export interface SmallPicture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly values: readonly number[];
}

/** How samples of one model become rows that are small enough for every call. */
export interface SketchPlan {
  /** `table`: the elements themselves; `picture`: means of a grid, channel by channel, and three statistics; `cells`: means of up to 64 runs and two statistics. */
  readonly kind: 'table' | 'picture' | 'cells';
  /** Elements of a sample. */
  readonly size: number;
  readonly features: readonly string[];
  /** Features that are means of cells (or elements), which come first; the rest are statistics. */
  readonly cells: number;
  /** Writes the sketch of the sample at `offset` of `x` to `out` at `at`. Cost: one pass over at most 16 elements a cell and channel. */
  read(x: ArrayLike<number>, offset: number, out: Float32Array, at: number): void;
  /** The row as a picture; undefined where samples are none. */
  picture(row: ArrayLike<number>): SmallPicture | undefined;
}

/** Cells along a side, cells of a long row, and elements along a side of a cell that are looked at. */
const SIDE = 8;
const RUNS = 64;
const LOOKED = 4;

/** Statistics of a picture after its cells; `gradient` is the mean squared difference of neighbours that are looked at. */
export const PICTURE_STATISTICS = ['mean', 'deviation', 'gradient'] as const;

/**
 * Plans sketches from a model's metadata alone. Samples of up to 64 elements stay as they are. Pictures (two axes of at least 8, or three with 1 to 4 channels first or last) become a grid of at most
 * 8 × 8 means a channel. Of large pictures 4 × 4 elements a cell are looked at, evenly spaced, so that cost does not grow with size. Errors: `option/invalid` for sizes that are none.
 */
export function planSketch({ sampleDims, datatype, names }: SketchSource): SketchPlan {
  const size = elementCount(sampleDims);
  if (!(sampleDims.every((dim) => Number.isInteger(dim) && dim >= 1) && size <= 2 ** 31))
    throw new GlacisError('option/invalid', 'sketch: expected sizes of at least 1, got others');
  const unit = datatype === 'UINT8' ? 1 / 255 : 1;
  if (size <= RUNS) return tablePlan(size, names);
  const axes = pictureAxes(sampleDims);
  return axes === undefined ? runsPlan(size) : picturePlan(size, axes, unit);
}

function tablePlan(size: number, names: readonly string[] | undefined): SketchPlan {
  return {
    kind: 'table',
    size,
    cells: size,
    features: Array.from({ length: size }, (_, i) => names?.[i] ?? `feature ${i}`),
    read(x, offset, out, at) {
      for (let i = 0; i < size; i++) out[at + i] = x[offset + i]!;
    },
    picture: () => undefined,
  };
}

interface Axes {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Steps between rows, columns and channels. */
  readonly steps: readonly [row: number, column: number, channel: number];
}

function pictureAxes(dims: readonly number[]): Axes | undefined {
  const large = (...sides: readonly number[]) => sides.every((side) => side >= SIDE);
  // What is 1 in front says nothing: exporters leave such axes.
  const given =
    dims.length > 3 ? dims.slice(dims.findIndex((dim, i) => dim > 1 || i >= dims.length - 3)) : dims;
  const [a = 0, b = 0, c = 0] = given;
  if (given.length === 2 && large(a, b)) return { height: a, width: b, channels: 1, steps: [b, 1, 0] };
  if (given.length !== 3) return undefined;
  if (a <= 4 && large(b, c)) return { height: b, width: c, channels: a, steps: [c, 1, b * c] };
  if (c <= 4 && large(a, b)) return { height: a, width: b, channels: c, steps: [b * c, c, 1] };
  return undefined;
}

/** Up to four places of each of eight parts of a side, evenly spaced. */
function placesOf(side: number, part: number): readonly number[] {
  const [from, to] = [Math.floor((part * side) / SIDE), Math.floor(((part + 1) * side) / SIDE)];
  const count = Math.min(LOOKED, to - from);
  return Array.from({ length: count }, (_, i) => from + Math.floor(((i + 0.5) * (to - from)) / count));
}

function picturePlan(size: number, { height, width, channels, steps }: Axes, unit: number): SketchPlan {
  const offsets: number[] = [];
  // Cell by cell with the channels of each together: runs of them average over channels.
  const ends: number[] = [];
  const breaks: number[] = [];
  for (let row = 0; row < SIDE; row++)
    for (let column = 0; column < SIDE; column++)
      for (let channel = 0; channel < channels; channel++) {
        for (const y of placesOf(height, row)) {
          breaks.push(offsets.length);
          for (const x of placesOf(width, column))
            offsets.push(y * steps[0] + x * steps[1] + channel * steps[2]);
        }
        ends.push(offsets.length);
      }
  const looked = Int32Array.from(offsets);
  const isFirst = new Uint8Array(offsets.length);
  for (const at of breaks) isFirst[at] = 1;
  const cells = ends.length;
  const pairs = Math.max(1, offsets.length - breaks.length);
  return {
    kind: 'picture',
    size,
    cells,
    features: [
      ...Array.from({ length: cells }, (_, i) => {
        const place = Math.floor(i / channels);
        const name = `cell ${Math.floor(place / SIDE)},${place % SIDE}`;
        return channels === 1 ? name : `${name} channel ${i % channels}`;
      }),
      ...PICTURE_STATISTICS,
    ],
    read(x, offset, out, at) {
      let [sum, squares, gradient, before, from] = [0, 0, 0, 0, 0];
      for (let cell = 0; cell < cells; cell++) {
        const end = ends[cell]!;
        let own = 0;
        for (let i = from; i < end; i++) {
          const value = x[offset + looked[i]!]!;
          own += value;
          squares += value * value;
          if (isFirst[i] === 0) gradient += (value - before) * (value - before);
          before = value;
        }
        sum += own;
        out[at + cell] = (own / (end - from)) * unit;
        from = end;
      }
      const mean = sum / from;
      out[at + cells] = mean * unit;
      out[at + cells + 1] = Math.sqrt(Math.max(0, squares / from - mean * mean)) * unit;
      out[at + cells + 2] = (gradient / pairs) * unit * unit;
    },
    picture(row) {
      const values = Array.from({ length: cells }, (_, i) => row[i]!);
      const finite = values.filter(Number.isFinite);
      const least = finite.reduce((low, value) => Math.min(low, value), 0);
      const most = finite.reduce((high, value) => Math.max(high, value), 1);
      const shown = channels === 1 || channels === 3 ? channels : 1;
      const scaled = (value: number) => (Number.isFinite(value) ? (value - least) / (most - least) : 0);
      return {
        width: SIDE,
        height: SIDE,
        channels: shown,
        values:
          shown === channels ? values.map(scaled) : values.filter((_, i) => i % channels === 0).map(scaled),
      };
    },
  };
}

function runsPlan(size: number): SketchPlan {
  const most = LOOKED * LOOKED;
  const looked = new Int32Array(RUNS * most);
  const ends = new Int32Array(RUNS);
  let filled = 0;
  for (let run = 0; run < RUNS; run++) {
    const [from, to] = [Math.floor((run * size) / RUNS), Math.floor(((run + 1) * size) / RUNS)];
    const count = Math.min(most, to - from);
    for (let i = 0; i < count; i++) looked[filled++] = from + Math.floor(((i + 0.5) * (to - from)) / count);
    ends[run] = filled;
  }
  return {
    kind: 'cells',
    size,
    cells: RUNS,
    features: [...Array.from({ length: RUNS }, (_, i) => `cell ${i}`), 'mean', 'deviation'],
    read(x, offset, out, at) {
      let [sum, squares, from] = [0, 0, 0];
      for (let run = 0; run < RUNS; run++) {
        const end = ends[run]!;
        let own = 0;
        for (let i = from; i < end; i++) {
          const value = x[offset + looked[i]!]!;
          own += value;
          squares += value * value;
        }
        sum += own;
        out[at + run] = own / (end - from);
        from = end;
      }
      const mean = sum / from;
      out[at + RUNS] = mean;
      out[at + RUNS + 1] = Math.sqrt(Math.max(0, squares / from - mean * mean));
    },
    picture: () => undefined,
  };
}
