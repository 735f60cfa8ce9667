import { z } from 'zod';
import { randomFrom } from '../../core/random.ts';
import { dot } from '../../detect/features/dot.ts';
import { fitGaussians, whiten } from '../../detect/features/gaussian.ts';
import { openSignedSums } from '../../detect/features/signed-sums.ts';
import { packedFloats, packFloats } from '../../detect/packed-floats.ts';
import type { SketchedRow } from './sketched-rows.ts';

/** A sketch is shortened to so many numbers, by random signs; and so many waves look at what means do not show. */
const SHORT = 24;
const WAVES = 16;

/** Beside them: how large the sketch is, its last two features (statistics of a picture), and the model's score. */
const SCALARS = 4;
const FIRST = SHORT + SCALARS;

/** Numbers of a row. */
export const ROW = FIRST + 1 + WAVES;

/** Classes that have a centre of their own; further ones share. */
const MOST_CLASSES = 64;

/** A feature that hardly varies counts as if it varied like the others, divided by this: corners of pictures must not drown the rest when a lamp ages. */
const MOST_SCALE = 1.5;

/** Furthest that one query counts in one direction, in deviations of calm ones. */
const MOST = 6;

/** Fewest calm rows to learn from. */
export const FEWEST_ROWS = 8 * ROW;

/** What calm sketches look like; as JSON holds it. */
export const calmRowsSchema = z.strictObject({
  width: z.int().min(1).max(4096),
  classes: z.int().min(1).max(MOST_CLASSES),
  scale: packedFloats(4096),
  middle: packedFloats(4096),
  whitener: packedFloats(FIRST * FIRST),
  centres: packedFloats(MOST_CLASSES * FIRST),
  again: packedFloats(ROW * ROW),
  centre: packedFloats(ROW),
});

/** See {@link calmRowsSchema}. */
export type CalmRows = z.output<typeof calmRowsSchema>;

/** As JSON. */
export function calmRowsToJson(rows: CalmRows): z.input<typeof calmRowsSchema> {
  const { width, classes, scale, middle, whitener, centres, again, centre } = rows;
  return {
    width,
    classes,
    scale: packFloats(scale),
    middle: packFloats(middle),
    whitener: packFloats(whitener),
    centres: packFloats(centres),
    again: packFloats(again),
    centre: packFloats(centre),
  };
}

/** Writes the numbers of a sketched sample: of calm ones of mean 0 and covariance 1. Gives their squared length. */
export type RowReader = (row: SketchedRow, out: Float32Array) => number;

/**
 * Learns what calm samples look like, from at least {@link FEWEST_ROWS}: features scaled, shortened by random signs, whitened around the centre of their class (as the model named it), looked at by waves, and whitened
 * again. The same embedding as the guard `query-shift`, on sketches in place of the model's last layer. Undefined for too few, or for features that do not vary.
 */
export function fitCalmRows(rows: readonly SketchedRow[]): CalmRows | undefined {
  const n = rows.length;
  const width = rows[0]?.width ?? 0;
  if (n < FEWEST_ROWS || rows.some((row) => row.width !== width)) return undefined;
  const middle = new Float32Array(width);
  const scale = new Float32Array(width);
  for (let i = 0; i < width; i++) {
    let [sum, squares, count] = [0, 0, 0];
    for (const { values, at } of rows) {
      const value = values[at + i]!;
      if (!Number.isFinite(value)) continue;
      sum += value;
      squares += value * value;
      count++;
    }
    const mean = count > 0 ? sum / count : 0;
    middle[i] = mean;
    const deviation = Math.sqrt(Math.max(0, squares / Math.max(1, count) - mean * mean));
    scale[i] = deviation > 0 && Number.isFinite(1 / deviation) ? 1 / deviation : 0;
  }
  const usual = [...scale].filter((value) => value > 0).sort((a, b) => a - b);
  const most = MOST_SCALE * (usual[Math.floor(usual.length / 2)] ?? 0);
  if (most === 0) return undefined;
  for (let i = 0; i < width; i++) scale[i] = scale[i]! > 0 ? Math.min(scale[i]!, most) : most;
  const classes = Math.min(
    MOST_CLASSES,
    1 + rows.reduce((top, { label }) => Math.max(top, groupOf(label, MOST_CLASSES)), 0),
  );
  const group = Uint8Array.from(rows, ({ label }) => groupOf(label, classes));
  const raw = new Float32Array(n * FIRST);
  const write = firstStage({ width, scale, middle });
  for (let i = 0; i < n; i++) write(rows[i]!, raw.subarray(i * FIRST, (i + 1) * FIRST));
  try {
    const half = Math.floor(n / 2);
    const order = new Uint8Array(half);
    const odd = new Float32Array(half * FIRST);
    for (let i = 0; i < half; i++) {
      odd.set(raw.subarray(2 * i * FIRST, (2 * i + 1) * FIRST), i * FIRST);
      order[i] = group[2 * i]!;
    }
    const first = fitGaussians(odd, FIRST, order, classes);
    const centres = steady(first.centres, order, classes);
    const second = secondStage(first.whitener, centres);
    const rest = n - half;
    const all = new Float32Array(rest * ROW);
    for (let i = 0; i < rest; i++) {
      const at = Math.min(n - 1, 2 * i + 1);
      second(raw.subarray(at * FIRST, (at + 1) * FIRST), group[at]!, all.subarray(i * ROW, (i + 1) * ROW));
    }
    const again = fitGaussians(all, ROW, new Uint8Array(rest), 1);
    return {
      width,
      classes,
      scale,
      middle,
      whitener: first.whitener,
      centres,
      again: again.whitener,
      centre: again.centres,
    };
  } catch {
    return undefined;
  }
}

/** Reads rows by what was learnt. Cost: `24 · width` additions and about 2,000 products. */
export function calmRowReader(learnt: CalmRows): RowReader {
  const { classes, whitener, centres, again, centre } = learnt;
  const write = firstStage(learnt);
  const second = secondStage(whitener, centres);
  const raw = new Float32Array(FIRST);
  const row = new Float32Array(ROW);
  return (sketched, out) => {
    write(sketched, raw);
    second(raw, groupOf(sketched.label, classes), row);
    whiten(again, ROW, row, out);
    let squared = 0;
    for (let i = 0; i < ROW; i++) {
      const value = out[i]! - centre[i]!;
      // What is no number is as strange as can be, and must not wipe out sums.
      out[i] = Number.isNaN(value) ? MOST : Math.min(MOST, Math.max(-MOST, value));
      squared += out[i]! * out[i]!;
    }
    return squared;
  };
}

function groupOf(label: number, classes: number): number {
  return label >= 0 && Number.isInteger(label) ? label % classes : 0;
}

/** Whether sizes fit each other, of what a file holds. */
export function isWhole({
  width,
  classes,
  scale,
  middle,
  whitener,
  centres,
  again,
  centre,
}: CalmRows): boolean {
  return (
    scale.length === width &&
    middle.length === width &&
    whitener.length === FIRST * FIRST &&
    centres.length === classes * FIRST &&
    again.length === ROW * ROW &&
    centre.length === ROW
  );
}

/** Centres of classes of few rows move to the middle of all. */
function steady(centres: Float32Array, group: Uint8Array, classes: number): Float32Array {
  const counts = new Float64Array(classes);
  for (const g of group) counts[g]!++;
  const mean = new Float64Array(FIRST);
  for (let g = 0; g < classes; g++)
    for (let i = 0; i < FIRST; i++) mean[i]! += (counts[g]! * centres[g * FIRST + i]!) / group.length;
  return centres.map((value, at) => {
    const share = counts[Math.floor(at / FIRST)]! / (counts[Math.floor(at / FIRST)]! + 10);
    return share * (share > 0 ? value : 0) + (1 - share) * mean[at % FIRST]!;
  });
}

function firstStage({ width, scale, middle }: Pick<CalmRows, 'width' | 'scale' | 'middle'>) {
  const shorten = openSignedSums(randomFrom(0, 'calm-rows', width), width, SHORT);
  const standard = new Float32Array(width);
  return ({ values, at, score }: SketchedRow, out: Float32Array): void => {
    let squared = 0;
    for (let i = 0; i < width; i++) {
      const value = (values[at + i]! - middle[i]!) * scale[i]!;
      // 50 deviations are as strange as 10⁹; a NaN is, too.
      const bounded = value < 50 ? (value > -50 ? value : -50) : 50;
      standard[i] = bounded;
      squared += bounded * bounded;
    }
    shorten(standard, 0, out);
    out[SHORT] = Math.log1p(squared);
    out[SHORT + 1] = signedLog(standard[width - 1]!);
    out[SHORT + 2] = signedLog(standard[Math.max(0, width - 2)]!);
    out[SHORT + 3] = signedLog(Number.isFinite(score) ? score : 0);
  };
}

const signedLog = (value: number): number => Math.sign(value) * Math.log1p(Math.abs(value));

function secondStage(whitener: Float32Array, centres: Float32Array) {
  const rng = randomFrom(0, 'calm-rows', 'waves');
  // Frequencies for unit normals in so many directions (the median heuristic).
  const waves = Float32Array.from({ length: WAVES * FIRST }, () => rng.normal() / Math.sqrt(2 * FIRST));
  const phases = Float32Array.from({ length: WAVES }, () => 2 * Math.PI * rng.uniform());
  return (raw: Float32Array, group: number, out: Float32Array): void => {
    whiten(whitener, FIRST, raw, out);
    let squared = 0;
    for (let i = 0; i < FIRST; i++) {
      out[i]! -= centres[group * FIRST + i]!;
      squared += out[i]! * out[i]!;
    }
    out[FIRST] = Math.log1p(squared);
    for (let w = 0; w < WAVES; w++)
      out[FIRST + 1 + w] = Math.cos(dot(waves, w * FIRST, out, 0, FIRST) + phases[w]!);
  };
}
