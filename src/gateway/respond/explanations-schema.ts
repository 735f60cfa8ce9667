import { z } from 'zod';
import { ATTRIBUTION_METHODS } from '../../explain/attributions.ts';
import { byteSize } from '../../policy/schema/fields.ts';

const whole = (least: number, most: number) =>
  z
    .int({ error: `a whole number from ${least} to ${most}` })
    .min(least, { error: `a whole number from ${least} to ${most}` })
    .max(most, { error: `a whole number from ${least} to ${most}` });

/** `serve.answers.explanations`: attributions of answers to inputs, for callers with the right to them. */
export const explanationsSchema = z
  .strictObject({
    methods: z
      .array(z.enum(ATTRIBUTION_METHODS), { error: `a list of ${ATTRIBUTION_METHODS.join(', ')}` })
      .min(1)
      .max(ATTRIBUTION_METHODS.length)
      .default([...ATTRIBUTION_METHODS])
      .describe(
        'How answers may be explained: `saliency` (the gradient), `gradient-input` (gradient × input), `integrated` (integrated gradients).',
      ),
    queries: whole(0, 1_000_000)
      .default(100)
      .describe(
        'What the explanation of a sample counts in rates and budgets, beside the answer: it tells a gradient, which is worth many answers to who copies the model.',
      ),
    most: whole(1, 64).default(8).describe('Most samples of a request that asks for explanations.'),
    decimals: whole(1, 4)
      .default(2)
      .describe('Decimals of every element, as a share of the largest of its sample.'),
    baseline: z
      .number()
      .default(0)
      .describe('What an element is where the input says nothing, for `integrated`.'),
    memory: byteSize
      .default(2 * 2 ** 30)
      .describe('Most bytes of the process that explains a model; one that needs more is ended.'),
    seconds: whole(1, 600).default(10).describe('After this a request for explanations is given up.'),
    queue: whole(1, 1000).default(16).describe('Requests for explanations of a model that may wait.'),
  })
  .describe(
    'Explains answers to callers whose rights and whose detail say `explanation`; nobody gets any without this section. Models that run here and have a gradient alone.',
  );

/** What {@link explanationsSchema} reads. */
export type ExplanationsConfig = z.output<typeof explanationsSchema>;
