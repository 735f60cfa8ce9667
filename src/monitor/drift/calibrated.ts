import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Sighting, TrueLabel } from '../sighting.ts';
import { keepRows, keptRows, type Rows } from './rows.ts';

/** What is known beside calm sightings. */
export interface CalibrationMore {
  /** Samples a day that the model will be asked about; as in calm traffic where nothing is said. */
  readonly trafficPerDay?: number | undefined;
  /** Truths about calm sightings, as far as they are known. */
  readonly labels?: readonly TrueLabel[] | undefined;
}

/** Samples a day of calm sightings, by their times. */
export function trafficOf(calm: readonly Sighting[]): number {
  let [samples, first, last] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { n, at } of calm) {
    samples += n;
    first = Math.min(first, at);
    last = Math.max(last, at);
  }
  // Without any span a minute is taken.
  return (samples * 86_400_000) / Math.max(60_000, last - first);
}

const number = z.number().min(-1e300).max(1e300);
const share = z.number().min(0).max(1);

/** False alarms on calm traffic that no threshold was set on. */
export const measuredSchema = z.strictObject({
  /** Windows, and the days that they stand for at the stated traffic. */
  windows: z.int().min(0),
  days: z.number().min(0),
  alarms: z.int().min(0),
  /** With an exact 95 % interval, as if alarms came independently. */
  perDay: z.number().min(0),
  low: z.number().min(0),
  high: z.number().min(0).nullable(),
  /** Sightings. */
  on: z.int().min(0),
});

/** A calibration of a monitor that compares windows; plain JSON. */
export const calibratedSchema = z.strictObject({
  schema: z.literal('glacis.drift-calibration/1'),
  monitor: z.string().max(100),
  budgetPerDay: z.number().gt(0),
  trafficPerDay: z.number().gt(0),
  features: z.array(z.string().max(1024)).max(4096),
  rows: z.int().min(1),
  seconds: z.number().min(0),
  windowsPerDay: z.number().gt(0),
  /** Looks at a window, of which the highest counts. */
  looks: z.int().min(1).max(1_000_000).default(1),
  threshold: number,
  tail: z.strictObject({ from: number, share, scale: z.number().min(0) }).nullable(),
  /** `windows`: the tail is that of real calm windows, one after another, or of redrawn ones, whichever asks for more; `resampled`: there were too few, so that of redrawn ones alone. */
  method: z.enum(['windows', 'resampled', 'theory']),
  measured: measuredSchema,
  warnings: z.array(z.string().max(1000)).max(16),
  reference: z.strictObject({
    width: z.int().min(1).max(4096),
    values: z.string().max(2 ** 26),
    who: z.array(z.int().min(0)).max(20_000),
    names: z.array(z.string().max(1024)).max(20_000),
  }),
});

/** See {@link calibratedSchema}. */
export type Calibrated = z.output<typeof calibratedSchema>;

/** The reference of a calibration, without who decided what and when. */
export function packReference(rows: Rows): Calibrated['reference'] {
  const { plain, arrays } = keepRows(rows);
  const { values } = arrays;
  return {
    width: rows.width,
    values: Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64'),
    who: [...arrays.who],
    names: [...plain.names],
  };
}

/** The rows again; undefined where sizes do not fit. */
export function unpackReference({ width, values, who, names }: Calibrated['reference']): Rows | undefined {
  const bytes = Uint8Array.from(Buffer.from(values, 'base64'));
  if (bytes.byteLength !== 4 * width * who.length) return undefined;
  return keptRows(
    { width, names, decisions: who.map(() => '') },
    { values: new Float32Array(bytes.buffer), who: Int32Array.from(who), at: new Float64Array(who.length) },
  );
}

/** Reads a calibration of this monitor for these features; text says why it cannot be used. Undefined where there is none. */
export function readCalibrated(
  given: unknown,
  monitor: string,
  features: readonly string[],
):
  | { readonly calibrated: Calibrated; readonly reference: Rows; readonly origin: string }
  | string
  | undefined {
  if (given === undefined || given === null) return undefined;
  const read = calibratedSchema.safeParse(given);
  if (!read.success) return 'the calibration is not one of this monitor: calibrate anew';
  const calibrated = read.data;
  if (calibrated.monitor !== monitor) return `the calibration is of ${calibrated.monitor}: calibrate anew`;
  const same =
    calibrated.features.length === features.length &&
    features.every((name, i) => name === calibrated.features[i]);
  if (!same) return 'the calibration is of other features: calibrate anew';
  const reference = unpackReference(calibrated.reference);
  if (reference === undefined || reference.n < 30)
    return 'the calibration holds no reference: calibrate anew';
  const origin = createHash('sha256').update(calibrated.reference.values).digest('hex').slice(0, 16);
  return { calibrated, reference, origin };
}
