import { z } from 'zod';
import { PER_DAY } from '../drift/windowed-options.ts';

/** Options that all monitors of means have, with the defaults and words of a kind. */
export function sequentialOptions({
  tolerance,
  learn,
}: {
  readonly tolerance: { readonly default: number; readonly about: string };
  readonly learn: { readonly default: number; readonly least: number; readonly about: string };
}) {
  return z.strictObject({
    tolerance: z.number().min(0).max(0.5).default(tolerance.default).describe(tolerance.about),
    learn: z.int().min(learn.least).max(10_000_000).default(learn.default).describe(learn.about),
    perDay: z.number().gt(0).max(1000).default(PER_DAY).describe('False alarms a day, at most.'),
    again: z.number().min(0).max(8760).default(24).describe('Hours after which the same is said again.'),
    remember: z
      .int()
      .min(1000)
      .max(4_000_000)
      .default(65_536)
      .describe('Calls whose answers are remembered until their labels come.'),
  });
}
