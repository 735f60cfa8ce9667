import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { asGlacisError, GlacisError } from '../core/error.ts';
import type { HubChoice } from './hub/messages.ts';

/** What `glacis monitor calibrate` writes. */
export const MONITOR_CALIBRATION = 'glacis.monitor-calibration/1';

/** Most bytes of such a file. */
const MOST_BYTES = 2 ** 28;

const schema = z.strictObject({
  schema: z.literal(MONITOR_CALIBRATION),
  /** Calls that were learnt from, and their first and last time. */
  calm: z.strictObject({ calls: z.int().min(0), first: z.number(), last: z.number() }).optional(),
  /** By model and monitor: each monitor reads its own, and begins to learn where it cannot. */
  models: z.record(z.string().max(512), z.record(z.string().max(64), z.unknown())),
});

/** The same as JSON. */
export type MonitorCalibration = z.output<typeof schema>;

/** Reads such a file, for `serve.monitors.measured`. Errors: `data/unreadable`, `data/too-large`, `result/invalid`. */
export async function readMonitorCalibration(path: string): Promise<HubChoice['calibration']> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES)
      throw new GlacisError('data/too-large', `${path}: expected at most ${MOST_BYTES} bytes, got ${size}`);
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    throw asGlacisError(thrown, 'data/unreadable', path);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new GlacisError('result/invalid', `${path}: expected JSON, got something else`, { cause });
  }
  const read = schema.safeParse(json);
  if (!read.success)
    throw new GlacisError(
      'result/invalid',
      `${path}: expected what glacis monitor calibrate writes (${MONITOR_CALIBRATION}), got something else`,
    );
  return read.data.models;
}
