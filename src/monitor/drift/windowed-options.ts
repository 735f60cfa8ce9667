import { z } from 'zod';

/** How a monitor that compares windows with a reference goes about it. */
export interface WindowedOptions {
  /** Fewest rows of a window. */
  readonly rows: number;
  /** Rows of a window that are looked at, chosen fairly. */
  readonly most: number;
  /** Shortest window. */
  readonly seconds: number;
  /** Rows of the reference where no calm traffic is given: of the first that come. */
  readonly learn: number;
  /** False alarms a day, at most. */
  readonly perDay: number;
  /** Hours after which the same is said again. */
  readonly again: number;
}

/** False alarms a day of one monitor unless something else is said: all drift monitors together about one a week. */
export const PER_DAY = 0.015;

/** Options with the defaults of a kind. */
export function windowedOptions(defaults: Partial<WindowedOptions> = {}) {
  return z.strictObject({
    rows: z
      .int()
      .min(30)
      .max(100_000)
      .default(defaults.rows ?? 300)
      .describe('Fewest rows of a window.'),
    most: z
      .int()
      .min(30)
      .max(20_000)
      .default(defaults.most ?? 1000)
      .describe('Rows of a window that are looked at, chosen fairly.'),
    seconds: z
      .number()
      .min(0)
      .max(604_800)
      .default(defaults.seconds ?? 900)
      .describe('Shortest window; 86400 evens out the hours of the day.'),
    learn: z
      .int()
      .min(100)
      .max(1_000_000)
      .default(defaults.learn ?? 2000)
      .describe('Rows of the first traffic that become the reference, where nothing was calibrated.'),
    perDay: z
      .number()
      .gt(0)
      .max(1000)
      .default(defaults.perDay ?? PER_DAY)
      .describe('False alarms a day, at most.'),
    again: z
      .number()
      .min(0)
      .max(8760)
      .default(defaults.again ?? 24)
      .describe('Hours after which the same is said again.'),
  });
}

/** Most rows of a reference that are kept, chosen fairly. */
export const REFERENCE = 2000;

/** Windows of an online monitor in a block: the stretch of rows over which only the highest look counts. */
export const BLOCK = 4;

/** Looks at such a block, with windows of `rows` rows. */
export const looksOf = (rows: number, stride: number): number =>
  Math.max(1, Math.floor((BLOCK * rows) / stride));
