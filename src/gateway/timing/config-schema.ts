import { z } from 'zod';

const milliseconds = z
  .number({ error: 'milliseconds from 1 to 10000' })
  .min(1, { error: 'milliseconds from 1 to 10000' })
  .max(10_000, { error: 'milliseconds from 1 to 10000' });

/** `serve.timing`: when answers leave, and how long they look. Off unless `every` is given: it costs each call up to that time. */
export const timingSchema = z.strictObject({
  every: milliseconds
    .optional()
    .describe(
      'Answers and refusals leave this many milliseconds after the request came, or at the next boundary after that. Above the slowest usual answer, nearly all leave at the first boundary and say nothing. At once unless given.',
    ),
  later: z
    .enum(['multiples', 'doubling'], { error: 'multiples or doubling' })
    .default('doubling')
    .describe(
      'Where the boundaries after the first are: at multiples of it, or at 2, 4, 8 times: fewer boundaries, less said by an answer that is late.',
    ),
  pad: z
    .int({ error: 'bytes from 0 to 1048576' })
    .min(0, { error: 'bytes from 0 to 1048576' })
    .max(1_048_576, { error: 'bytes from 0 to 1048576' })
    .optional()
    .describe(
      'Bodies are filled up to a multiple of this many bytes; 0 not at all. 1024 where `every` is given, otherwise 0.',
    ),
});

/** `serve.timing` as it is read. */
export type TimingConfig = z.output<typeof timingSchema>;
