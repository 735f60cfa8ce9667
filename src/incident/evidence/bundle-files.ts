import { z } from 'zod';

/** The schema of a bundle's manifest. */
export const EVIDENCE_SCHEMA = 'glacis.incident.evidence/1';
/** What a bundle's signature states. */
export const EVIDENCE_PREDICATE = 'https://glacis.dev/incident-evidence/v1';

/** Names of the files that a manifest cannot list: itself, and what vouches for it. */
export const MANIFEST = 'manifest.json';
/** The log's entry about the manifest, and the proof that it is in the log. */
export const SEAL = 'seal.json';
/** The manifest's signature, and the key that it fits. */
export const SIGNATURE = 'manifest.sig';
/** The public key of the signature. */
export const SIGNER = 'signer.pub';
/** The signed state of the log that all proofs lead to. */
export const CHECKPOINT = 'ledger/checkpoint';
/** Entries of the log: a line each, `{"index", "entry"}` with the entry's bytes in base64. */
export const ENTRIES = 'ledger/entries.jsonl';
/** A line for each entry, `{"index", "proof"}` with hashes in base64. */
export const PROOFS = 'ledger/proofs.jsonl';

const hex64 = z.string().regex(/^[0-9a-f]{64}$/);

/** A bundle's manifest: every other file with its digest. */
export const manifestShape = z.strictObject({
  schema: z.literal(EVIDENCE_SCHEMA),
  case: z.string().min(1).max(64),
  /** Milliseconds since 1970. */
  made: z.number(),
  by: z.string().max(1000),
  /** The log's name. */
  origin: z.string().max(300),
  files: z
    .array(z.strictObject({ path: z.string().max(200), bytes: z.int().min(0), sha256: hex64 }))
    .max(1000),
  /** Entries that are named and could not be read: archived, or of another log. */
  missing: z.array(z.int().min(0)).max(100_000),
});

/** What {@link manifestShape} reads. */
export type Manifest = z.output<typeof manifestShape>;

/** A bundle's seal. */
export const sealShape = z.strictObject({
  /** The entry's bytes in base64. */
  entry: z.base64().max(200_000),
  /** A tlog-proof. */
  proof: z.string().max(1 << 19),
});

/** A line of {@link ENTRIES}. */
export const entryLine = z.strictObject({ index: z.int().min(0), entry: z.base64().max(100_000) });

/** A line of {@link PROOFS}. */
export const proofLine = z.strictObject({
  index: z.int().min(0),
  proof: z.array(z.base64().length(44)).max(63),
});

/** An entry of the log about an event, as far as it is looked at here. */
export const eventEntry = z.object({
  schema: z.literal('glacis.event/1'),
  event: z.object({
    at: z.number(),
    by: z.string(),
    event: z.string(),
    about: z.record(z.string(), z.unknown()),
  }),
});

/** An entry of the log about a decision, as far as it is looked at here. */
export const decisionEntry = z.object({
  schema: z.literal('glacis.decision/1'),
  decision: z.looseObject({
    id: z.string(),
    at: z.number(),
    model: z.string(),
    outcome: z.string(),
    n: z.number(),
  }),
});
