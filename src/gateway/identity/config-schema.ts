import { z } from 'zod';
import { timeSpan } from '../../store/index.ts';
import { DETAILS } from '../detail.ts';
import { looksLikePseudonym, PSEUDONYM_MARK } from '../pseudonym-mark.ts';
import { OPERATIONS } from '../rights.ts';
import { TOKEN_ALGORITHMS } from './tokens/key-set.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const path = z
  .string({ error: 'a path' })
  .min(1, { error: 'a path' })
  .max(4096, { error: 'a path of at most 4096 characters' });

const paths = z
  .union([path.transform((one) => [one]), z.array(path).max(64, { error: 'at most 64 paths' })])
  .default([]);

/** What people and programs are called: it stands in logs. */
const name = z.string().regex(/^[^\p{Cc}\p{Cf}\p{Cs}\s][^\p{Cc}\p{Cf}\p{Cs}]{0,127}$/u, {
  error: 'a name of at most 128 characters on one line',
});

/** What principals and tenants are called. */
const callerName = name.refine((text) => !looksLikePseudonym(text), {
  error: `a name that does not begin with '${PSEUDONYM_MARK}', as pseudonyms do`,
});

const ownName = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, {
  error: 'a name of letters, digits, ".", "_" and "-" that begins with a letter, at most 64 characters',
});

const roles = z.array(name).max(32, { error: 'at most 32 roles' }).default([]);

const fingerprint = z.string().regex(/^sha256:[0-9a-f]{64}$/, {
  error: 'a fingerprint such as sha256:9f86d0… (64 hexadecimal digits)',
});

const between = (least: number, most: number, words: string) =>
  timeSpan.refine((span) => span >= least && span <= most, { error: `a length of time ${words}` });

const scope = z
  .strictObject({
    models: z.array(name).min(1).max(200).describe('Names of models; * alone stands for any.'),
    operations: z
      .array(z.enum(OPERATIONS))
      .default([...OPERATIONS])
      .describe('What may be done.'),
    detail: z.enum(DETAILS).default('scores').describe('The most detail of an answer.'),
  })
  .describe('What a credential is confined to, whatever policies allow.');

const keys = z
  .strictObject({
    lifetime: timeSpan
      .default(90 * DAY)
      .describe('How long a new key holds, unless it is made for another time.'),
    overlap: timeSpan.default(7 * DAY).describe('How long a key still holds after another took its place.'),
    refresh: between(100, HOUR, 'from 100 ms to 1 hour')
      .default(2 * SECOND)
      .describe('How often the store is asked for keys that were made or revoked elsewhere.'),
    stale: between(SECOND, DAY, 'from 1 second to 1 day')
      .default(MINUTE)
      .describe('For how long keys are accepted while the store does not answer.'),
    most: z.int().min(1).max(1_000_000).default(100_000).describe('Most keys; all are held in memory.'),
  })
  .prefault({})
  .describe('API keys.');

const issuerAddress = z
  .string()
  .max(500)
  .refine((text) => URL.canParse(text), { error: 'an address such as https://id.example.org' });

const claims = z
  .strictObject({
    principal: name.default('sub').describe('The claim that names who asks.'),
    tenant: z
      .union([
        z.strictObject({ is: callerName.describe('All belong to this one.') }),
        z.strictObject({
          claim: name.describe('The claim that names it.'),
          map: z
            .record(name, callerName)
            .optional()
            .describe('Tenants by what the claim says; any other is refused. Without: `<issuer>:<claim>`.'),
        }),
      ])
      .optional()
      .describe('Whom they belong to; the name of the issuer without.'),
    roles: z
      .strictObject({
        claim: name.describe('The claim that holds roles or groups, e.g. groups or realm_access.roles.'),
        map: z
          .record(name, name)
          .describe('Roles by what the claim says; what is not named here is no role.'),
      })
      .optional()
      .describe('Roles; none without.'),
  })
  .prefault({})
  .describe('How claims name a principal.');

/** One of `serve.identity.issuers`. */
export const issuerSchema = z
  .strictObject({
    name: ownName.describe('What this issuer is called in principals: `name:subject`.'),
    issuer: issuerAddress.describe('`iss` of its tokens, exactly.'),
    audience: z
      .union([name.transform((one) => [one]), z.array(name).min(1).max(16)])
      .describe('`aud` that a token must have one of.'),
    algorithms: z
      .array(z.enum(TOKEN_ALGORITHMS))
      .min(1)
      .describe('Algorithms that its tokens are signed with; no other is accepted.'),
    jwks: issuerAddress
      .optional()
      .describe(
        "Where its keys are. Without, the issuer's own discovery document says it, on the same host.",
      ),
    ca: path.optional().describe('PEM file of the authority of its certificate; the public ones without.'),
    type: name.optional().describe('`typ` that a token must have, e.g. at+jwt.'),
    leeway: between(SECOND, 5 * MINUTE, 'from 1 second to 5 minutes')
      .default(30 * SECOND)
      .describe('By how much clocks may differ.'),
    longest: between(MINUTE, 31 * DAY, 'from 1 minute to 31 days')
      .default(DAY)
      .describe('The longest that a token may hold: nobody can take one back.'),
    fresh: between(SECOND, DAY, 'from 1 second to 1 day')
      .default(10 * MINUTE)
      .describe('After this its keys are asked for again.'),
    grace: between(SECOND, 7 * DAY, 'from 1 second to 7 days')
      .default(HOUR)
      .describe('How much longer the old keys hold while it does not answer.'),
    cooldown: between(SECOND, HOUR, 'from 1 second to 1 hour')
      .default(30 * SECOND)
      .describe('The least time between two questions for keys, whatever tokens come.'),
    privateNetwork: z
      .boolean()
      .default(false)
      .describe('Whether it may be at an address that is not on the internet (10.0.0.0/8 and the like).'),
    insecureLoopback: z
      .boolean()
      .default(false)
      .describe('Whether it may be on this machine, without TLS. For trying things out.'),
    claims,
    scope: scope.optional(),
  })
  .describe('An issuer whose tokens are accepted.');

const certificate = z
  .strictObject({
    fingerprint: fingerprint.optional().describe('SHA-256 of the certificate.'),
    name: z
      .string()
      .regex(/^(?:uri|dns|email|ip):[^\p{Cc}\s]{1,300}$/u, {
        error:
          'a name such as uri:spiffe://example.org/scanner, dns:scanner.example.org or email:ann@example.org',
      })
      .optional()
      .describe('An alternative name in the certificate.'),
    principal: callerName,
    tenant: callerName,
    roles,
    scope: scope.optional(),
  })
  .refine((given) => (given.fingerprint === undefined) !== (given.name === undefined), {
    error: 'one of fingerprint and name',
  })
  .describe('Whose a client certificate is.');

/** `serve.identity`: who somebody is. */
export const identitySchema = z
  .strictObject({
    anonymous: z
      .boolean()
      .default(false)
      .describe('Whether somebody without credentials is the principal `anonymous`. Policies still decide.'),
    keys,
    issuers: z
      .array(issuerSchema)
      .max(32, { error: 'at most 32 issuers' })
      .default([])
      .describe('Issuers of tokens (JWT, OpenID Connect).'),
    tokens: z
      .strictObject({
        mostBytes: z.int().min(512).max(16_384).default(8192).describe('The longest token, in characters.'),
        remember: z
          .int()
          .min(100)
          .max(1_000_000)
          .default(20_000)
          .describe('Verified tokens that are remembered.'),
        rememberFor: between(SECOND, HOUR, 'from 1 second to 1 hour')
          .default(5 * MINUTE)
          .describe('How long, at most.'),
      })
      .prefault({})
      .describe('How tokens are verified.'),
    certificates: z
      .array(certificate)
      .max(10_000, { error: 'at most 10,000 certificates' })
      .default([])
      .describe('Principals by client certificate (mutual TLS).'),
    refusedCertificates: z
      .array(fingerprint)
      .max(10_000, { error: 'at most 10,000 certificates' })
      .default([])
      .describe('Certificates that are not accepted, although their chain is.'),
    requireCertificate: z
      .boolean()
      .default(false)
      .describe('Whether keys and tokens count only together with a client certificate that is known.'),
    failures: z
      .strictObject({
        burst: z.int().min(1).max(10_000).default(20).describe('Failed attempts of an address at once.'),
        perMinute: z
          .int()
          .min(1)
          .max(10_000)
          .default(20)
          .describe('Failed attempts that are forgotten in a minute.'),
      })
      .prefault({})
      .describe('What an address may try. A /64 network of IPv6 is one address.'),
  })
  .prefault({});

/** What {@link identitySchema} reads. */
export type IdentityConfig = z.output<typeof identitySchema>;

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
    timeStep: between(SECOND, HOUR, 'from 1 second to 1 hour')
      .default(MINUTE)
      .describe('How finely policies see the time, where they look at it.'),
  })
  .prefault({});

/** What {@link rightsSchema} reads. */
export type RightsConfig = z.output<typeof rightsSchema>;
