import { z } from 'zod';
import { randomFrom } from '../../core/random.ts';
import { type CalibrationMore, measuredSchema, trafficOf } from '../drift/calibrated.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { TrueLabel } from '../sighting.ts';
import { openEDetector } from '../statistics/e-detector.ts';
import { rateInterval } from '../statistics/gamma.ts';
import { addTo, baselineSchema, emptyBaseline, hourOf, usualOf } from './baseline.ts';
import { detectionDelays } from './detection-delay.ts';
import {
  type Emit,
  emitRuns,
  type NumberSource,
  type SequentialOptions,
  type SequentialSubject,
} from './number-source.ts';

const delaySchema = z.strictObject({
  /** A constant loss, and the samples and hours after which it is found at the stated traffic; null where it is not. */
  loss: z.number(),
  median: z.number().nullable(),
  most: z.number().nullable(),
  hours: z.number().nullable(),
});

/** A calibration of a monitor of means; plain JSON. */
export const sequentialSchema = z.strictObject({
  schema: z.literal('glacis.mean-calibration/1'),
  monitor: z.string().max(100),
  budgetPerDay: z.number().gt(0),
  trafficPerDay: z.number().gt(0),
  streams: z
    .array(
      z.strictObject({
        id: z.string().max(100),
        numbersPerDay: z.number().gt(0),
        tolerance: z.number().min(0).max(1),
        /** Numbers between false alarms, on average at least. */
        runLength: z.number().gt(0),
        usual: z.number().min(0).max(1),
        baseline: baselineSchema,
        delays: z.array(delaySchema).max(64),
      }),
    )
    .max(16),
  measured: measuredSchema,
  warnings: z.array(z.string().max(1000)).max(16),
  source: z.unknown().optional(),
});

/** See {@link sequentialSchema}. */
export type SequentialCalibration = z.output<typeof sequentialSchema>;

/** Reads a calibration of this monitor; text says why it cannot be used. */
export function readSequential(given: unknown, monitor: string): SequentialCalibration | string | undefined {
  if (given === undefined || given === null) return undefined;
  const read = sequentialSchema.safeParse(given);
  if (!read.success || read.data.monitor !== monitor)
    return 'the calibration is not one of this monitor: calibrate anew';
  return read.data;
}

/** Numbers of a stream that are kept for calibration. */
const MOST = 2_000_000;
const FEWEST = 200;

/**
 * Learns what is usual from the first half of calm traffic, widens the tolerance until the third quarter gives no false alarm, counts false alarms on the last quarter, and simulates how
 * long losses of several sizes would go on. Undefined where no stream has 200 numbers.
 */
export function calibrateSequential(
  subject: SequentialSubject,
  options: SequentialOptions,
  { seed, calm }: Pick<MonitorSetting, 'seed' | 'calm'>,
  more: CalibrationMore = {},
): SequentialCalibration | undefined {
  const source = subject.source(undefined);
  const numbers = new Map<
    string,
    { readonly x: number[]; readonly at: number[]; readonly callers: string[] }
  >();
  for (const stream of Object.keys(subject.streams)) numbers.set(stream, { x: [], at: [], callers: [] });
  const emit = emitRuns(subject, (stream, x, caller, _group, _decision, at) => {
    const of = numbers.get(stream);
    if (of === undefined || of.x.length >= MOST || Number.isNaN(x) || !Number.isFinite(at)) return;
    of.x.push(Math.min(1, Math.max(0, x)));
    of.at.push(at);
    of.callers.push(caller);
  });
  replay(source, calm, more.labels ?? [], emit);
  const samples = calm.reduce((sum, { n }) => sum + n, 0);
  const trafficPerDay = more.trafficPerDay ?? trafficOf(calm);
  const share = options.perDay / (numbers.size + subject.groups.length);
  const warnings: string[] = [];
  const made: SequentialCalibration['streams'] = [];
  let [alarms, days, on] = [0, 0, 0];
  for (const [id, { x, at, callers }] of numbers) {
    if (x.length < FEWEST) continue;
    const rng = randomFrom(seed, 'calibrate', subject.name, id);
    const baseline = emptyBaseline();
    const half = Math.floor(x.length / 2);
    const quarter = Math.floor((3 * x.length) / 4);
    for (let i = 0; i < half; i++) addTo(baseline, x[i]!, at[i]!, callers[i]!, rng.uniform());
    const numbersPerDay = Math.max(1e-3, (trafficPerDay * x.length) / Math.max(1, samples));
    const runLength = Math.max(1000, numbersPerDay / share);
    const alarmsIn = (from: number, to: number, tolerance: number) => {
      const usual = usualOf(baseline, tolerance);
      const detector = openEDetector(usual.most, runLength);
      let found = 0;
      for (let i = from; i < to; i++)
        if (detector.take(x[i]!, usual.byHour?.[hourOf(at[i]!)])) {
          found++;
          detector.reset();
        }
      return found;
    };
    let { tolerance } = options;
    while (tolerance < 0.5 && alarmsIn(half, quarter, tolerance) > 0)
      tolerance = 2 * Math.max(tolerance, 0.001);
    if (tolerance > options.tolerance)
      warnings.push(
        `${id} changes by itself in calm traffic: only a rise by more than ${tolerance} is looked for, instead of ${options.tolerance}`,
      );
    alarms += alarmsIn(quarter, x.length, tolerance);
    days += (x.length - quarter) / numbersPerDay;
    on += x.length - quarter;
    const usual = usualOf(baseline, tolerance).most;
    const delays = detectionDelays({ calm: baseline.some, usual, runLength, rng: rng.fork('delays') });
    made.push({
      ...{ id, numbersPerDay, tolerance, runLength, usual, baseline },
      delays: delays.map((delay) => ({
        ...delay,
        hours: delay.median === null ? null : (24 * delay.median) / numbersPerDay,
      })),
    });
  }
  if (made.length === 0) return undefined;
  const daysEach = days / made.length;
  const [low, high] = rateInterval(alarms, daysEach);
  return {
    schema: 'glacis.mean-calibration/1',
    ...{ monitor: subject.name, budgetPerDay: options.perDay, trafficPerDay, streams: made },
    measured: {
      ...{ windows: 0, days: daysEach, alarms, perDay: daysEach > 0 ? alarms / daysEach : 0, low },
      high: Number.isFinite(high) ? high : null,
      on,
    },
    warnings,
    ...(source.keep && { source: source.keep() }),
  };
}

/** Sightings and labels in the order of time. */
function replay(
  source: NumberSource,
  calm: MonitorSetting['calm'],
  labels: readonly TrueLabel[],
  emit: Emit,
): void {
  const told = [...labels].sort((a, b) => a.at - b.at);
  let next = 0;
  for (const sighting of calm) {
    while (next < told.length && told[next]!.at < sighting.at) source.learn?.(told[next++]!, emit);
    source.see?.(sighting, emit);
  }
  while (next < told.length) source.learn?.(told[next++]!, emit);
}
