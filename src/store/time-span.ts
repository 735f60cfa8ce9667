import { z } from 'zod';

const MILLISECONDS = {
  ms: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
} as const;

const SPAN = 'a length of time such as 250 ms, 5 seconds, 2 minutes, 12 hours, 30 days or 4 weeks';

/** A length of time, from milliseconds to weeks: `250 ms`, `5 seconds`, `4 weeks`; read as milliseconds. */
export const timeSpan = z
  .string({ error: SPAN })
  .regex(/^[1-9]\d{0,5} ?(?:ms|seconds?|minutes?|hours?|days?|weeks?)$/, { error: SPAN })
  .transform((text) => {
    const [, count, unit] = /^(\d+) ?(ms|second|minute|hour|day|week)/.exec(text)!;
    return Number(count) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  });
