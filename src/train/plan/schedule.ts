import { GlacisError } from '../../core/error.ts';
import { constant, cosine, oneCycle, type Schedule, steps } from '../schedule.ts';
import { oneFrom } from './one-spec.ts';

/** Schedules by name, with their default options. */
export const SCHEDULES = {
  constant: {},
  cosine: {},
  'one-cycle': {},
  steps: { at: '0.5 0.75', factor: 0.1 },
} as const;

/**
 * Reads `steps(at=0.5 0.75, factor=0.1)`. Errors: `option/unknown`, `option/invalid`.
 *
 * @param warmUp share of all steps; the schedule's own default without
 */
export function planSchedule(text: string, peak: number, warmUp?: number): Schedule {
  // One place in a list reads as a number.
  const quoted = text.replace(/\bat=\s*([\d.]+)\s*(?=[,)])/, 'at=$1 $1');
  const { name, options } = oneFrom(quoted, SCHEDULES, 'schedule');
  const common = { peak, ...(warmUp === undefined ? {} : { warmUp }) };
  if (name === 'cosine') return cosine(common);
  if (name === 'constant') return constant(common);
  if (name === 'one-cycle') return oneCycle(common);
  const at = [...new Set(String(options.at).trim().split(/\s+/).map(Number))];
  if (!at.every(Number.isFinite))
    throw new GlacisError(
      'option/invalid',
      `steps: expected shares with blanks between for at, got '${options.at}'`,
    );
  return steps({ ...common, at, factor: options.factor as number });
}
