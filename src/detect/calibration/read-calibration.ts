import { GlacisError } from '../../core/error.ts';
import { packFloats } from '../packed-floats.ts';
import {
  type Calibration,
  calibrationSchema,
  type GuardCalibration,
  guardCalibrationSchema,
} from './schema.ts';

/** Most characters of a calibration file. */
export const MOST_CALIBRATION_TEXT = 256 * 2 ** 20;

/** The JSON of a calibration; arrays of float32 become base64. */
export function calibrationToJson(calibration: Calibration): string {
  const packed = (_: string, value: unknown) => (value instanceof Float32Array ? packFloats(value) : value);
  return `${JSON.stringify(calibration, packed, 1)}\n`;
}

/**
 * Reads a calibration file for the model of that root digest; `where` names it in messages. Unknown keys are refused. What each guard learnt is
 * checked by the guard.
 * Errors: `data/unreadable` (no JSON, another format), `data/too-large`, `data/mismatch` (made for another model: thresholds of one model mean
 * nothing for another, whatever the two have in common).
 */
export function readCalibration(text: string, where: string, model: string): Calibration {
  if (text.length > MOST_CALIBRATION_TEXT)
    throw new GlacisError(
      'data/too-large',
      `${where}: expected at most ${MOST_CALIBRATION_TEXT} characters, got ${text.length}`,
    );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected a calibration (JSON), got text that does not parse`,
      { cause },
    );
  }
  const read = calibrationSchema.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new GlacisError(
      'data/unreadable',
      `${where}: ${issue!.path.join('.').slice(0, 200) || 'calibration'}: ${issue!.message.slice(0, 200)}; make the file with glacis calibrate`,
    );
  }
  if (read.data.model !== model)
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected a calibration of ${model}, got one of ${read.data.model}; run glacis calibrate for this model`,
    );
  return read.data;
}

/** A guard's part, checked. Errors: `option/invalid` where there is none or it is something else. */
export function guardCalibrationFrom(guard: string, given: unknown): GuardCalibration {
  const read = guardCalibrationSchema.safeParse(given);
  if (read.success) return read.data;
  throw new GlacisError(
    'option/invalid',
    given === undefined
      ? `guard ${guard}: expected a calibration, got none; run glacis calibrate MODEL --guards ${guard}, or leave the guard out`
      : `guard ${guard}: expected its part of a calibration, got something else`,
  );
}
