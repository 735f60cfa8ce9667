import { z } from 'zod';
import { timeSpan } from '../../store/index.ts';
import { issuerSchema } from '../identity/config-schema.ts';
import { labSchema } from './lab-schema.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const path = z.string().min(1).max(4096);
const between = (least: number, most: number, words: string) =>
  timeSpan.refine((span) => span >= least && span <= most, { error: `a length of time ${words}` });

const publicAddress = z
  .string()
  .max(500)
  .refine((text) => isOrigin(text), {
    error: 'an address such as https://glacis.example.org, without a path',
  });

const secret = z
  .union([
    z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/) }),
    z.strictObject({ file: path }),
  ])
  .describe('A variable of the environment, or a file, that holds it.');

const provider = z
  .strictObject({
    issuer: z
      .union([
        z.string().min(1).max(64).describe('The name of an issuer of serve.identity.'),
        issuerSchema.omit({ audience: true, type: true, scope: true }),
      ])
      .describe('Who vouches for people: an issuer of serve.identity, or one for the console alone.'),
    clientId: z.string().min(1).max(500).describe('What this console is called there.'),
    clientSecret: secret.optional().describe('Its secret there; none for a public client.'),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/))
      .min(1)
      .max(20)
      .default(['openid'])
      .describe('What is asked for; claims with roles often need one more, such as groups.'),
  })
  .describe('An OpenID Connect provider to sign in with.');

/** `serve.console`: the pages for people, and how they sign in. */
export const consoleSchema = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether the pages are served at all.'),
    address: publicAddress
      .optional()
      .describe(
        'The address that people open, where it is another one than host and port: behind a proxy that ends TLS, or by a name.',
      ),
    oidc: z
      .array(provider)
      .max(16)
      .default([])
      .describe('Providers to sign in with; without, one-time links.'),
    idle: between(MINUTE, 24 * HOUR, 'from 1 minute to 24 hours')
      .default(30 * MINUTE)
      .describe('A session ends when nothing was asked in it for so long.'),
    longest: between(MINUTE, 7 * 24 * HOUR, 'from 1 minute to 7 days')
      .default(12 * HOUR)
      .describe('A session ends after so long, whatever happens.'),
    mostSessions: z.int().min(1).max(100).default(8).describe('Sessions a person; the oldest ends.'),
    linkLifetime: between(MINUTE, HOUR, 'from 1 minute to 1 hour')
      .default(10 * MINUTE)
      .describe('How long a one-time link may be used.'),
    attempts: z
      .strictObject({
        burst: z.int().min(1).max(1000).default(10).describe('Failed attempts of an address at once.'),
        perMinute: z.int().min(1).max(1000).default(10).describe('Failed attempts forgotten in a minute.'),
      })
      .prefault({})
      .describe('What an address may try. A /64 network of IPv6 is one address.'),
    mostStreams: z
      .int()
      .min(1)
      .max(10_000)
      .default(1000)
      .describe('Pages that may be open at once and follow live.'),
    mostStreamsEach: z.int().min(1).max(1000).default(32).describe('The same, of one person.'),
    assessments: path.optional().describe('A folder of reports (glacis assess --json) to show.'),
    lab: labSchema,
    demo: z.boolean().default(false).describe('Whether every page says that this is a demonstration.'),
  })
  .prefault({});

/** What {@link consoleSchema} reads. */
export type ConsoleConfig = z.output<typeof consoleSchema>;

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username === '' &&
    url.password === '' &&
    (text === url.origin || text === `${url.origin}/`)
  );
}
