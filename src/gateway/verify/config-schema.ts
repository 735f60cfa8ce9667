import { z } from 'zod';

/** How two answers are held against each other. */
export const MEASURES = ['label', 'jensen-shannon', 'score'] as const;

/** One of {@link MEASURES}. */
export type Measure = (typeof MEASURES)[number];

const share = (error: string) => z.number({ error }).min(0, { error }).max(1, { error });

/** `serve.verify`: a second model that checks decisions of the first. Off unless it is given. */
export const verifySchema = z.strictObject({
  model: z
    .string({ error: 'the name of a served model, as name or name@version' })
    .regex(/^[^\s@]{1,200}(@[^\s@]{1,200})?$/, {
      error: 'the name of a served model, as name or name@version',
    })
    .describe(
      'The model that checks: another architecture or another host, served or upstream, with the same classes.',
    ),
  share: share('a number from 0 to 1')
    .default(1)
    .describe(
      'Share of decisions that are checked, drawn with a key so that nobody can tell which; all unless given.',
    ),
  measure: z
    .enum(MEASURES, { error: `one of ${MEASURES.join(', ')}` })
    .default('label')
    .describe(
      '`label`: another class; `jensen-shannon`: distance of the probabilities in bits, 0 to 1; `score`: largest difference of a probability. Of a batch, the largest counts.',
    ),
  threshold: share('a number from 0 to 1')
    .default(0.5)
    .describe(
      'Above this, two answers diverge; `glacis calibrate verify` finds it for a share of false alarms.',
    ),
  action: z
    .enum(['flag', 'hold', 'refuse'], { error: 'flag, hold or refuse' })
    .default('hold')
    .describe(
      'What happens to an answer that diverges: recorded and told; kept back until a person decides; refused.',
    ),
  down: z
    .enum(['refuse', 'pass'], { error: 'refuse or pass' })
    .optional()
    .describe(
      'What happens while the second model does not answer: `pass` tells the operator alone. `refuse` unless given, with the action `flag` `pass`.',
    ),
  timeout: z
    .int({ error: 'milliseconds from 1 to 60000' })
    .min(1, { error: 'milliseconds from 1 to 60000' })
    .max(60_000, { error: 'milliseconds from 1 to 60000' })
    .default(2000)
    .describe('Milliseconds after which the second model counts as down.'),
  reviews: z
    .strictObject({
      reviewers: z
        .int({ error: '1 or 2' })
        .min(1, { error: '1 or 2' })
        .max(2, { error: '1 or 2' })
        .default(1)
        .describe('Persons who must agree before a held answer is released; one is enough to refuse it.'),
      hours: z
        .number({ error: 'hours above 0 and up to 8760' })
        .gt(0, { error: 'hours above 0 and up to 8760' })
        .max(8760, { error: 'hours above 0 and up to 8760' })
        .default(168)
        .describe(
          'How long a review waits, and how long its outcome counts afterwards: a week unless given.',
        ),
      most: z
        .int({ error: 'a whole number from 1 to 100000' })
        .min(1, { error: 'a whole number from 1 to 100000' })
        .max(100_000, { error: 'a whole number from 1 to 100000' })
        .default(1000)
        .describe(
          'Reviews that may be open; beyond, calls that would be held are turned away as unavailable.',
        ),
      mostEach: z
        .int({ error: 'a whole number from 1 to 100000' })
        .min(1, { error: 'a whole number from 1 to 100000' })
        .max(100_000, { error: 'a whole number from 1 to 100000' })
        .default(100)
        .describe('Of these, how many one principal may have.'),
    })
    .prefault({})
    .describe('The queue of held answers.'),
});

/** `serve.verify` as it is read. */
export type VerifyConfig = z.output<typeof verifySchema>;
