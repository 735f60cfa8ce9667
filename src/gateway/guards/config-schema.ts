import { z } from 'zod';
import { GUARDS } from './registry.ts';

const off = z.literal('off').describe('Leaves the guard out.');

/** `guards:` of a model in `serve:`: options by kind of guard. */
export const guardsSchema = z
  .strictObject({
    calibration: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe('File that glacis calibrate wrote for this model; another model is refused.'),
    ...Object.fromEntries(
      GUARDS.map(({ kind }) => [kind.name, z.union([off, kind.options]).optional().describe(kind.about)]),
    ),
  })
  .describe(
    'Guards that look at requests; those that are on without being named are listed in docs/guards.md.',
  );

/** What the policy says of guards. */
export type GuardsConfig = z.output<typeof guardsSchema>;
