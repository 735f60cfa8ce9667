import { z } from 'zod';

const path = z.string().min(1).max(4096);

/** `serve.contain`: what measures reach beyond this gateway. */
export const containSchema = z
  .strictObject({
    registries: z
      .array(
        z.strictObject({
          location: path.describe('The registry: a folder or s3://BUCKET/PREFIX.'),
          trust: path
            .optional()
            .describe("The registry's trust file; needed until this machine remembers the registry."),
          key: path.describe('PEM file with the private keys of an approver that this gateway is.'),
          logKey: path.describe("PEM file with the private keys of the registry's log."),
        }),
      )
      .max(16)
      .default([])
      .describe(
        'Registries that the measure freeze freezes for everybody. Without, it holds for the gateways of this store alone.',
      ),
  })
  .describe('What measures against an attack reach beyond this gateway.');

/** What {@link containSchema} reads. */
export type ContainConfig = z.output<typeof containSchema>;
