import { z } from 'zod';
import { digest, duration, lastDay, ownName, pattern, several, words } from './fields.ts';
import { requirement, threat } from './requirements.ts';

/** The version of the format, as the field `schema` carries it. */
export const POLICY_SCHEMA = 'glacis.policy/1';

const fingerprint = digest.describe(
  '`sha256:` and the fingerprint of the public key, as `glacis sign` and `glacis verify` show it.',
);

const signer = z
  .strictObject({
    key: fingerprint.optional(),
    certificate: z
      .strictObject({
        identity: words.describe('A name in the certificate: mail address, DNS name or URI.'),
        root: digest.describe('SHA-256 of the certificate (DER) at the top of its chain.'),
      })
      .optional()
      .describe('An identity in a certificate of an authority that you run or trust.'),
    sigstore: z
      .strictObject({
        identity: words.describe('Who signed: a mail address or the URI of a workflow.'),
        issuer: words.describe(
          'Who says so: the OpenID issuer, e.g. https://token.actions.githubusercontent.com.',
        ),
      })
      .optional()
      .describe('An identity of Sigstore: no key of their own.'),
    postQuantumKey: fingerprint
      .optional()
      .describe('Fingerprint of the ML-DSA key with which the same person signs as well.'),
  })
  .refine(
    (given) =>
      [given.key, given.certificate, given.sigstore].filter((each) => each !== undefined).length === 1,
    {
      error: 'a signer with one of key, certificate and sigstore',
    },
  )
  .describe('Who may sign: the holder of a key, an identity in a certificate, or an identity of Sigstore.');

const models = z
  .strictObject({
    name: pattern
      .optional()
      .describe("The model's name, * for any characters. Names are what the caller says; a digest is not."),
    digest: digest.optional().describe("The model's root digest (`glacis digest MODEL`)."),
    stages: z
      .record(ownName, several(requirement).describe('All of these must be met.'))
      .refine((stages) => Object.keys(stages).length > 0, { error: 'at least one stage' })
      .describe('Requirements by stage, e.g. `candidate` and `production`.'),
  })
  .refine(({ name, digest }) => (name === undefined) !== (digest === undefined), {
    error: 'one of name and digest',
  })
  .describe('Which models, and what they need. Where several entries match a model, all of them hold.');

const exception = z
  .strictObject({
    requirement: ownName.describe('The id of the requirement that need not be met.'),
    model: pattern.describe('Which models: a name with *, or a root digest.'),
    stage: ownName,
    reason: words.describe('Why.'),
    owner: words.describe('Who answers for it.'),
    until: lastDay.describe('The last day (UTC) on which it holds.'),
  })
  .describe('A requirement that need not be met for a time. After `until` it has no effect.');

/** A policy file: the one source of its type, its checks and the JSON Schema for editors. */
export const policySchema = z
  .strictObject({
    schema: z.literal(POLICY_SCHEMA, { error: `"${POLICY_SCHEMA}"` }),
    signers: z.record(ownName, signer).describe('Who may vouch, each under a name of your own.'),
    threats: z.record(ownName, threat).optional().describe('Threats by name.'),
    defaults: z
      .strictObject({
        signers: several(ownName).optional(),
        fresh: duration.optional(),
      })
      .optional()
      .describe('Who vouches and how old evidence may be, where a requirement does not say.'),
    models: z
      .array(models, { error: 'a list' })
      .min(1, { error: 'a list of at least one entry' })
      .max(500, { error: 'a list of at most 500 entries' }),
    exceptions: z
      .array(exception, { error: 'a list' })
      .max(500, { error: 'a list of at most 500 entries' })
      .optional(),
    serve: z
      .unknown()
      .optional()
      .describe('How models are served: read by `glacis serve`, no part of the gate.'),
  })
  .describe('What evidence a model needs before it may be promoted or served.');

/** A policy as the schema gives it: fractions as numbers, lengths of time as milliseconds. */
export type PolicyFile = z.output<typeof policySchema>;

/** A signer as the policy names them. */
export type PolicySigner = PolicyFile['signers'][string];

/** A requirement that need not be met for a time. */
export type PolicyException = NonNullable<PolicyFile['exceptions']>[number];
