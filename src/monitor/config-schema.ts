import { z } from 'zod';
import { KINDS } from './hub/kinds.ts';
import type { HubChoice } from './hub/messages.ts';
import type { MonitorsSetting } from './hub/open-monitors.ts';

const off = z.literal('off').describe('Leaves the monitor out.');

const byKind = Object.fromEntries(
  KINDS.map(({ name, options, about }) => [name, z.union([off, options]).optional().describe(about)]),
);

/** `serve.monitors`: what watches the traffic of each model. Every monitor is on unless it is `off`. */
export const monitorsSchema = z
  .strictObject({
    measured: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe(
        'File that glacis monitor calibrate wrote; without, the first traffic of each model is the reference.',
      ),
    sketch: z
      .strictObject({
        samples: z.int().min(0).max(64).default(8).describe('Samples of a call that are sketched, at most.'),
        perSecond: z
          .int()
          .min(0)
          .max(1_000_000)
          .default(200)
          .describe('Samples of all calls that are sketched in a second, at most, shared out fairly.'),
      })
      .prefault({})
      .describe('How closely inputs are looked at.'),
    models: z
      .record(z.string().min(1).max(256), z.strictObject(byKind))
      .default({})
      .describe('Other options for single models.'),
    ...byKind,
  })
  .describe('Monitors: what watches the traffic of each model; see docs/monitoring.md.');

/** What the configuration says of monitors. */
export type MonitorsConfig = z.output<typeof monitorsSchema>;

/** The same as the monitors take it, with what was measured on calm traffic. */
export function monitorsSetting(
  { sketch, models, measured: _, ...kinds }: MonitorsConfig,
  calibration: HubChoice['calibration'] = {},
): MonitorsSetting {
  return { sketch, only: models, kinds, calibration };
}
