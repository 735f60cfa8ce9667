import { z } from 'zod';
import { byteSize } from '../../policy/schema/fields.ts';
import { timeSpan } from '../../store/time-span.ts';

const path = z.string({ error: 'a path' }).min(1, { error: 'a path' }).max(4096, { error: 'a path' });

const payloadsSchema = z.strictObject({
  keep: z
    .enum(['none', 'input', 'both'])
    .default('none')
    .describe(
      'What of a call is kept, encrypted with a key of its subject: nothing, the inputs, or the outputs as well.',
    ),
  retention: timeSpan
    .default(30 * 86_400_000)
    .describe('How long; then whole files are removed, which the log says.'),
  most: byteSize
    .default(10 * 2 ** 30)
    .describe('Bytes of payloads at most; then the oldest files are removed, which the log says.'),
});

/** `serve.log`: the log of decisions. */
export const recordSchema = z.strictObject({
  origin: z
    .string()
    .regex(/^[a-z0-9.-]+(?:\/[A-Za-z0-9._-]+)*$/, { error: 'a name such as example.com/decisions' })
    .max(200)
    .default('glacis.local/decisions')
    .describe('The name of the log: an address without a scheme, which need not exist.'),
  publishEvery: timeSpan
    .default(1000)
    .describe('How long until a decision that was acknowledged is under a signed checkpoint, at most.'),
  keyFile: path
    .optional()
    .describe(
      "PEM file with the log's private keys, Ed25519 and ML-DSA-44; made in the data folder at the first start without.",
    ),
  freeSpace: byteSize
    .default(256 * 2 ** 20)
    .describe('Below so much free disk nothing is served any more. Refusals are recorded until half of it.'),
  who: z
    .enum(['clear', 'sealed'])
    .default('clear')
    .describe(
      'How principal, tenant, credential and address stand in the log: readable, or encrypted with the key of the subject.',
    ),
  subject: z
    .union([z.literal('principal'), z.strictObject({ parameter: z.string().min(1).max(200) })])
    .default('principal')
    .describe(
      'Whom a call is about: the principal, or who a parameter of the request names. Erasing the key of a subject erases the person.',
    ),
  payloads: payloadsSchema.prefault({}),
  wrappingKey: z
    .string()
    .regex(/^(?:file|env|pkcs11|plugin):.+/s, { error: 'file:PATH, env:NAME, pkcs11:… or plugin:PATH' })
    .optional()
    .describe(
      'What the keys of subjects are wrapped with; a file made in the data folder at the first start without.',
    ),
});

/** What {@link recordSchema} reads. */
export type RecordConfig = z.output<typeof recordSchema>;
