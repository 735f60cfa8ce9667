import { z } from 'zod';
import { randomFrom } from '../../core/random.ts';
import type { MonitorSetting } from '../monitor.ts';
import { calibrateWindowed } from './calibrate-windowed.ts';
import type { DriftKind } from './drift-kind.ts';
import { sketchSubject } from './input-drift.ts';
import { jointTest } from './joint-test.ts';
import { openWindowed } from './windowed.ts';
import { BLOCK, PER_DAY, type WindowedOptions, windowedOptions } from './windowed-options.ts';
import type { WindowedSubject } from './windowed-subject.ts';

function subjectOf(setting: Pick<MonitorSetting, 'features' | 'seed'>): WindowedSubject {
  return {
    ...sketchSubject('joint-drift', setting),
    test: (calm) => jointTest(calm, randomFrom(setting.seed, 'joint-drift'), setting.features),
    title: () => 'inputs moved as a whole',
    advice: 'Where input-drift names no feature, it is how features go together that changed.',
  };
}

/** All features of the inputs together: maximum mean discrepancy, least-squares density difference and correlations two by two, window by window. */
export const jointDrift: DriftKind<WindowedOptions> = {
  name: 'joint-drift',
  about: 'Inputs that are not spread as in calm traffic, all features together.',
  options: windowedOptions({ most: 500 }),
  make: (options, setting) => openWindowed(subjectOf(setting), options, setting),
  calibrate: (options, setting, more) => calibrateWindowed(subjectOf(setting), options, setting, more),
};

/** Options of {@link jointDriftOnline}. */
export interface OnlineOptions extends Pick<WindowedOptions, 'rows' | 'learn' | 'perDay' | 'again'> {
  readonly stride: number;
  readonly gap: number;
}

function onlineSubject(
  setting: Pick<MonitorSetting, 'features' | 'seed'>,
  { stride, gap }: OnlineOptions,
): WindowedSubject {
  return {
    ...sketchSubject('joint-drift-online', setting),
    test: (calm) => jointTest(calm, randomFrom(setting.seed, 'joint-drift-online')),
    title: () => 'inputs moved as a whole, just now',
    advice:
      'It is the last rows alone that are looked at: what is slow or small is seen by joint-drift first.',
    online: { stride, gap: 1000 * gap },
  };
}

const whole = (options: OnlineOptions): WindowedOptions => ({ ...options, most: options.rows, seconds: 0 });

/** The same, online: the last rows again and again, so that a sudden change is seen after some dozen rows. */
export const jointDriftOnline: DriftKind<OnlineOptions> = {
  name: 'joint-drift-online',
  about: 'Inputs that suddenly are not spread as in calm traffic, by the last rows alone.',
  options: z.strictObject({
    rows: z.int().min(30).max(2000).default(128).describe('The last rows that are looked at.'),
    stride: z.int().min(1).max(1000).default(16).describe('Rows between looks.'),
    gap: z
      .number()
      .min(0)
      .max(3600)
      .default(1)
      .describe(
        'Least seconds between rows; others are left to joint-drift, and so are those of a caller that come more than twice as fast as its share of the traffic would have them.',
      ),
    learn: z
      .int()
      .min(100)
      .max(1_000_000)
      .default(2000)
      .describe('Rows of the first traffic that become the reference, where nothing was calibrated.'),
    perDay: z.number().gt(0).max(1000).default(PER_DAY).describe('False alarms a day, at most.'),
    again: z.number().min(0).max(8760).default(24).describe('Hours after which the same is said again.'),
  }),
  make: (options, setting) => openWindowed(onlineSubject(setting, options), whole(options), setting),
  calibrate: (options, setting, more) =>
    calibrateWindowed(
      onlineSubject(setting, options),
      { ...whole(options), rows: BLOCK * options.rows, most: BLOCK * options.rows },
      setting,
      more,
    ),
};
