import { z } from 'zod';
import { DETAILS } from '../detail.ts';
import { explanationsSchema } from './explanations-schema.ts';
import { poisoningOptions } from './poisoning.ts';
import { reverseSigmoidOptions } from './reverse-sigmoid.ts';
import { roundingOptions } from './rounding.ts';
import { temperatureOptions } from './temperature.ts';
import { watermarkOptions } from './watermark.ts';

const kind = <K extends string>(name: K) => ({ kind: z.literal(name) });

/** A guard that bends scores. Rounding, top-k and label have keys of their own, because the ladder of details needs them at its end. */
const guard = z.discriminatedUnion(
  'kind',
  [
    poisoningOptions.extend(kind('poisoning')),
    reverseSigmoidOptions.extend(kind('reverse-sigmoid')),
    temperatureOptions.extend(kind('temperature')),
  ],
  { error: 'a guard: poisoning, reverse-sigmoid or temperature' },
);

const count = (error: string) => z.int({ error }).min(1, { error }).max(1000, { error });

/** `serve.answers`: how much of what a model says is told. What is left out is the careful choice. */
export const answersSchema = z
  .strictObject({
    detail: z
      .enum(DETAILS, { error: `one of ${DETAILS.join(', ')}` })
      .default('scores')
      .describe(
        'The most detail that anybody gets, whatever the rights say; `logits` gives the outputs as they are, rounded.',
      ),
    round: roundingOptions
      .default({ decimals: 4 })
      .describe(
        'Digits of every score: four decimals unless given. Also of the outputs of models that are no classifiers, as significant digits.',
      ),
    rounded: roundingOptions
      .default({ decimals: 2 })
      .describe("Digits in a budget's step `rounded`: two decimals unless given."),
    topk: count('a whole number from 1 to 1000')
      .default(3)
      .describe('Classes whose scores are told at the detail `topk`.'),
    guards: z
      .array(guard, { error: 'a list of guards' })
      .max(8, { error: 'a list of at most 8 guards' })
      .default([])
      .describe(
        'Guards that bend the scores before they are rounded, in this order: poisoning, reverse-sigmoid, temperature.',
      ),
    watermark: watermarkOptions
      .optional()
      .describe(
        'Gives a keyed share of inputs a wrong class, for a proof of theft later; off unless given, because it costs accuracy.',
      ),
    others: z
      .enum(['hidden', 'told'], { error: 'hidden or told' })
      .default('hidden')
      .describe(
        'Outputs of a classifier beside its scores (embeddings, attention): zeros below the detail `logits`, unless `told`.',
      ),
    explanations: explanationsSchema.optional(),
  })
  .refine(({ detail, explanations }) => explanations === undefined || detail === 'explanation', {
    error: 'detail: explanation beside explanations; nobody would get any otherwise',
  });

/** `serve.answers` as it is read. */
export type AnswersConfig = z.output<typeof answersSchema>;

/** One of `guards`. */
export type GuardChoice = AnswersConfig['guards'][number];
