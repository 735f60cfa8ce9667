import { z } from 'zod';
import { timeSpan } from '../../store/index.ts';
import { DETAILS } from '../detail.ts';
import { OPERATIONS } from '../rights.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MINUTE = 60_000;

const path = z
  .string({ error: 'a path' })
  .min(1, { error: 'a path' })
  .max(4096, { error: 'a path of at most 4096 characters' });

const paths = z
  .union([path.transform((one) => [one]), z.array(path).max(64, { error: 'at most 64 paths' })])
  .default([]);

/** What people and programs are called: it stands in logs. */
const name = z.string().regex(/^[^\p{Cc}\p{Cf}\s][^\p{Cc}\p{Cf}]{0,127}$/u, {
  error: 'a name of at most 128 characters on one line',
});

const ownName = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, {
  error: 'a name of letters, digits, ".", "_" and "-" that begins with a letter, at most 64 characters',
});

const roles = z.array(name).max(32, { error: 'at most 32 roles' }).default([]);

const scope = z
  .strictObject({
    models: z.array(name).min(1).max(200).describe('Names of models; * alone stands for any.'),
    operations: z.array(z.enum(OPERATIONS)).default([...OPERATIONS]),
    detail: z.enum(DETAILS).default('scores').describe('The most detail of an answer.'),
  })
  .describe('What a credential is confined to, whatever policies allow.');

/** `serve.rights`: who may do what. */
export const rightsSchema = z
  .strictObject({
    policies: paths.describe(
      'Files of Cedar policies, or folders of them (*.cedar). Without: keys may do what their scopes say.',
    ),
    withDefault: z.boolean().default(false).describe('Whether the default policies hold beside the files.'),
    management: paths.describe(
      'Cedar policies for the management side. Without: the roles operator, auditor, reviewer and admin as they are documented.',
    ),
    withManagementDefault: z
      .boolean()
      .default(false)
      .describe('Whether the default policies of the management side hold beside the files.'),
    remember: z
      .int()
      .min(100)
      .max(1_000_000)
      .default(20_000)
      .describe('Decisions that are kept in memory; about 1 kB each.'),
    timeStep: timeSpan
      .default(MINUTE)
      .refine((step) => step >= 1000 && step <= HOUR, { error: 'a length of time from 1 second to 1 hour' })
      .describe('How finely policies see the time, where they look at it.'),
  })
  .prefault({});

/** What {@link rightsSchema} reads. */
export type RightsConfig = z.output<typeof rightsSchema>;

void DAY;
void roles;
void scope;
void ownName;
