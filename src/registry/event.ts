import { z } from 'zod';
import { GlacisError } from '../core/error.ts';
import { isDigest, isModelName, isTag } from './names.ts';

/** The payload type of a registry event in its DSSE envelope. */
export const EVENT_TYPE = 'application/vnd.glacis.registry.event.v1+json';

/** People, and statements at a promotion, at most. */
const MOST_PARTIES = 16;
const MOST_EVIDENCE = 64;

const digest = z.string().refine(isDigest, 'expected sha256: and 64 hexadecimal digits');
const model = z.string().refine(isModelName, 'expected the name of a model');
const tag = z.string().refine(isTag, 'expected the name of a version or an alias');
const when = z.iso.datetime();
const words = z.string().min(1).max(1000);
const size = z.int().min(0);
const party = z.strictObject({
  name: z.string().regex(/^[\w.@+-]{1,64}$/, 'expected a name of letters, digits and . @ + - _'),
  /** SubjectPublicKeyInfo in base64. Who has several must sign with each. */
  keys: z.array(z.base64().max(8192)).min(1).max(4),
});
const parties = z
  .array(party)
  .max(MOST_PARTIES)
  .refine((all) => new Set(all.map((p) => p.name)).size === all.length, 'expected each name once')
  .refine((all) => {
    const keys = all.flatMap((p) => p.keys);
    return new Set(keys).size === keys.length;
  }, 'expected each key once: who has two names would count twice');
const roles = z
  .strictObject({
    /** May promote, roll back, revoke, freeze, change the roles, and push. */
    approvers: parties.min(1),
    /** May only push. */
    publishers: parties,
    /** How many approvers a promotion, a rollback, a thaw or a change of roles needs. */
    threshold: z.int().min(1),
    /** How many a revocation or a freeze needs: fewer, because it must be quick and only ever takes away. */
    revocationThreshold: z.int().min(1),
  })
  .refine(
    (r) => r.threshold <= r.approvers.length && r.revocationThreshold <= r.approvers.length,
    'expected thresholds that the approvers can reach',
  );
const evidence = z
  .array(z.strictObject({ name: z.string().min(1).max(200), digest, size }))
  .max(MOST_EVIDENCE);

const common = { schema: z.literal('glacis.registry.event/1'), at: when };
/** Digest of the first event: an event of one registry means nothing in another. */
const here = { ...common, registry: digest };
/** What an alias points to. */
const target = {
  model,
  alias: tag,
  version: tag,
  /** The model's root digest, the subject of its signatures and statements. */
  digest,
  manifest: digest,
  /** One more than the alias had: what was approved before some other change does not take effect after it. */
  sequence: z.int().min(1),
  evidence,
};

const event = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('genesis'),
    origin: z.string().min(1).max(200),
    /** Drawn at random, so that no two registries have the same first event. */
    nonce: z.string().regex(/^[0-9a-f]{32}$/),
    /** The log's keys, as verifiers take them. */
    logKeys: z.array(z.string().max(8192)).min(1).max(8),
    /** Seconds after which a signed state is too old to be believed; 0 for never. */
    freshness: z.int().min(0),
    /** Where blobs are when not beside the log. It is signed: otherwise whoever has the storage could send a push elsewhere. */
    blobs: z.string().max(500),
    /** Whether every version must be encrypted. */
    encrypted: z.boolean(),
    roles,
  }),
  z.strictObject({
    ...here,
    kind: z.literal('version'),
    model,
    version: tag,
    digest,
    manifest: digest,
    manifestSize: size,
    size,
    files: z.int().min(1),
    evidence,
  }),
  z.strictObject({ ...here, kind: z.literal('promotion'), ...target, note: words.optional() }),
  z.strictObject({ ...here, kind: z.literal('rollback'), ...target, reason: words }),
  z.strictObject({ ...here, kind: z.literal('revocation'), model, digest, reason: words }),
  /** Nothing is promoted until it is thawed. It only takes away, so as few must agree as for a revocation. */
  z.strictObject({ ...here, kind: z.literal('freeze'), sequence: z.int().min(1), reason: words }),
  z.strictObject({ ...here, kind: z.literal('thaw'), sequence: z.int().min(1), reason: words }),
  z.strictObject({ ...here, kind: z.literal('roles'), roles, sequence: z.int().min(1), reason: words }),
]);

/** What the registry's log says happened. */
export type RegistryEvent = z.infer<typeof event>;
/** A kind of event. */
export type EventOf<K extends RegistryEvent['kind']> = Extract<RegistryEvent, { readonly kind: K }>;
/** Who may do what. */
export type Roles = EventOf<'genesis'>['roles'];
/** Somebody with keys. */
export type Party = Roles['approvers'][number];
/** A file that speaks for a model, by its digest. */
export type EvidenceRef = EventOf<'version'>['evidence'][number];

/**
 * Reads the payload of an event. Keys that are not known are refused, because what is passed over now might have meant something
 * to who signed it.
 *
 * @param payload attacker-controlled until its signatures are verified
 * @throws GlacisError `registry/invalid`
 */
export function parseEvent(payload: Uint8Array, where: string): RegistryEvent {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch (cause) {
    throw new GlacisError('registry/invalid', `${where}: expected an event in JSON`, { cause });
  }
  const read = event.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new GlacisError(
    'registry/invalid',
    `${where}: ${issue?.path.join('.') || 'event'}: ${issue?.message ?? 'expected an event'}`,
  );
}

/** The payload of an event. Errors: `registry/invalid` for one that nobody could read back. */
export function formatEvent(value: RegistryEvent): Uint8Array {
  const payload = Buffer.from(JSON.stringify(value));
  parseEvent(payload, `${value.kind} event`);
  return payload;
}
