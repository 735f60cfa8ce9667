import { z } from 'zod';
import { byteSize, words } from '../../policy/schema/fields.ts';

const path = z.string().min(1).max(4096);

/** `serve.console.lab`: attacks that operators try on single inputs. */
export const labSchema = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether attacks can be tried from the console.'),
    seconds: z.int().min(1).max(600).default(60).describe('The longest that a trial may take.'),
    memory: byteSize.default(2 * 2 ** 30).describe('The most memory that a trial may take.'),
    models: z
      .record(
        z.string(),
        z.strictObject({
          inputs: path
            .optional()
            .describe('A data set as `glacis assess --data` takes it: its first samples to begin with.'),
          classNames: z.array(words).max(10_000).optional().describe('Names of the classes by number.'),
          range: z
            .tuple([z.number(), z.number()])
            .refine(([low, high]) => low < high, { error: 'the least value before the greatest' })
            .default([0, 1])
            .describe('Least and greatest value of an input.'),
        }),
      )
      .default({})
      .describe('By model: what the lab knows of it.'),
  })
  .prefault({})
  .describe('The lab: attacks that operators try on single inputs, beside the service.');

/** {@link labSchema} as it is read. */
export type LabConfig = z.output<typeof labSchema>;
