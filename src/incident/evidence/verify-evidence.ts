import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import {
  type Checkpoint,
  type LogTrust,
  leafHash,
  openCheckpoint,
  rootFromInclusion,
  verifyProof,
} from '../../ledger/index.ts';
import { parseBundle } from '../../supply/sign/bundle.ts';
import { fingerprintOf, publicKeyFrom } from '../../supply/sign/ec-key.ts';
import { checkKeySignature } from '../../supply/sign/key-method.ts';
import { canonical, sha256 } from '../canonical.ts';
import type { CaseEvent } from '../case.ts';
import {
  CHECKPOINT,
  decisionEntry,
  ENTRIES,
  EVIDENCE_PREDICATE,
  entryLine,
  eventEntry,
  MANIFEST,
  type Manifest,
  manifestShape,
  PROOFS,
  proofLine,
  SEAL,
  SIGNATURE,
  SIGNER,
  sealShape,
} from './bundle-files.ts';
import { tells } from './pack-evidence.ts';
import { readStoredZip } from './stored-zip.ts';

/** Something that was checked. */
export interface EvidenceCheck {
  /** The file, or `archive`. */
  readonly file: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** What became of checking a bundle: good only when every check is. */
export interface EvidenceVerdict {
  readonly schema: 'glacis.incident.verification/1';
  readonly ok: boolean;
  readonly case?: string | undefined;
  /** `sha256:` of the manifest. */
  readonly digest?: string | undefined;
  /** The log, how many entries it had, and when it was signed (seconds since 1970). */
  readonly log?:
    | { readonly origin: string; readonly entries: number; readonly signed?: number | undefined }
    | undefined;
  /** Hexadecimal SHA-256 of the signer's public key. */
  readonly signer?: string | undefined;
  /** Events of the case and decisions that the log vouches for. */
  readonly proven: { readonly events: number; readonly decisions: number };
  /** Entries that are named and are not in the bundle: archived, or of another log. Nothing is proven about them. */
  readonly missing: number;
  readonly checks: readonly EvidenceCheck[];
}

const MOST_CHECKS = 1000;
/** Lines of the ledger's files. */
const MOST_LINES = 200_000;

/**
 * Checks a bundle without any server: every byte of the archive, every file against the manifest, the manifest against the log's own word and the signature, every entry
 * against the log's signed state, and what the store said against what the log says. `keys`: whose signature is wanted; without, that of the key that the log names.
 * Everything in it is attacker-controlled until the log's keys vouch for it. Never throws on what is in it.
 */
export function verifyEvidence(
  bytes: Uint8Array,
  trust: LogTrust,
  keys: readonly KeyObject[] = [],
): EvidenceVerdict {
  const checks: EvidenceCheck[] = [];
  let isGood = true;
  const add = (file: string, ok: boolean, detail: string): boolean => {
    isGood &&= ok;
    if (checks.length < MOST_CHECKS) checks.push({ file, ok, detail });
    return ok;
  };
  const attempt = <T>(file: string, work: () => T): T | undefined => {
    try {
      return work();
    } catch (thrown) {
      add(file, false, reason(thrown));
      return undefined;
    }
  };
  const { files, problems } = readStoredZip(bytes);
  for (const { file, problem } of problems) add(file, false, problem);
  if (problems.length === 0) add('archive', true, `${files.size} files, every byte in its place`);
  const manifest = attempt(MANIFEST, () => manifestShape.parse(parsed(files, MANIFEST)));
  const digest = files.has(MANIFEST) ? `sha256:${sha256(files.get(MANIFEST)!)}` : undefined;
  if (manifest) compareFiles(files, manifest, add);
  const seal = attempt(SEAL, () => checkSeal(files, trust, { digest, of: manifest?.case }));
  if (seal) add(SEAL, true, `entry ${seal.index} of ${trust.origin} names the manifest`);
  const signer = attempt(SIGNATURE, () =>
    checkSignature(files, { digest, of: manifest?.case, named: seal, keys }),
  );
  if (signer) add(SIGNATURE, true, `signed by the key ${signer}`);
  if (digest !== undefined)
    add(
      MANIFEST,
      seal !== undefined && signer !== undefined,
      seal && signer ? digest : 'nothing vouches for it',
    );
  const checkpoint = attempt(CHECKPOINT, () => openCheckpoint(need(files, CHECKPOINT), trust, CHECKPOINT));
  if (checkpoint) add(CHECKPOINT, true, `${checkpoint.size} entries, signed with the log's keys`);
  const entries = checkpoint ? checkEntries(files, checkpoint, add, attempt) : undefined;
  const proven = { events: 0, decisions: 0 };
  if (entries && manifest) {
    add(ENTRIES, true, `${entries.size} entries lead to the log's signed state`);
    const setting = { files, entries, manifest, add, attempt };
    proven.events = attempt('events.json', () => checkEvents(setting)) ?? 0;
    proven.decisions = attempt('decisions.json', () => checkDecisions(setting)) ?? 0;
  }
  return {
    schema: 'glacis.incident.verification/1',
    ok: isGood && checks.length > 0,
    case: manifest?.case,
    digest,
    ...(checkpoint && {
      log: { origin: checkpoint.origin, entries: checkpoint.size, signed: checkpoint.at },
    }),
    ...(signer !== undefined && { signer }),
    proven,
    missing: manifest?.missing.length ?? 0,
    checks,
  };
}

type Files = ReadonlyMap<string, Uint8Array>;
type Add = (file: string, ok: boolean, detail: string) => boolean;
type Attempt = <T>(file: string, work: () => T) => T | undefined;

function reason(thrown: unknown): string {
  if (thrown instanceof GlacisError) return thrown.message;
  if (thrown instanceof z.ZodError) {
    const [issue] = thrown.issues;
    return `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is not what it should be'}`.slice(0, 300);
  }
  return thrown instanceof Error ? thrown.message.slice(0, 300) : 'it cannot be read';
}

function need(files: Files, path: string): Uint8Array {
  const found = files.get(path);
  if (found === undefined) throw new Error('it is missing');
  return found;
}

function parsed(files: Files, path: string): unknown {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(need(files, path));
  return JSON.parse(text);
}

function compareFiles(files: Files, manifest: Manifest, add: Add): void {
  const listed = new Set(manifest.files.map(({ path }) => path));
  for (const { path, bytes, sha256: wanted } of manifest.files) {
    const found = files.get(path);
    if (found === undefined) add(path, false, 'it is missing');
    else if (found.length !== bytes || sha256(found) !== wanted)
      add(path, false, 'it is not the file that the manifest lists');
    else add(path, true, `${bytes} bytes, as the manifest lists it`);
  }
  for (const path of files.keys())
    if (!listed.has(path) && ![MANIFEST, SEAL, SIGNATURE, SIGNER].includes(path))
      add(path, false, 'it was added: the manifest does not list it');
}

/** What the log says of a bundle: the manifest's key, and the digest of the signature. */
interface Seal {
  readonly index: number;
  readonly key: string;
  readonly signature: string;
}

/** The log's word about the manifest. Errors: why it is none. */
function checkSeal(
  files: Files,
  trust: LogTrust,
  { digest, of }: { readonly digest: string | undefined; readonly of: string | undefined },
): Seal {
  const { entry, proof } = sealShape.parse(parsed(files, SEAL));
  const bytes = Buffer.from(entry, 'base64');
  const { index } = verifyProof(proof, bytes, trust, SEAL);
  const { event, about } = eventEntry.parse(JSON.parse(bytes.toString('utf8'))).event;
  if (
    event !== 'case-bundle' ||
    about.bundle !== digest ||
    about.case !== of ||
    typeof about.key !== 'string'
  )
    throw new Error('the log names another manifest');
  // One way alone to write it: what is not read would be a place to hide something.
  if (
    files.get(SEAL)!.toString() !== Buffer.from(`${JSON.stringify({ entry, proof }, null, 2)}\n`).toString()
  )
    throw new Error('it is not written as it is meant to be');
  return { index, key: String(about.key), signature: String(about.signature) };
}

/** The signature of the manifest. Errors: why it does not hold. */
function checkSignature(
  files: Files,
  {
    digest,
    of,
    named,
    keys,
  }: {
    readonly digest: string | undefined;
    readonly of: string | undefined;
    readonly named: Seal | undefined;
    readonly keys: readonly KeyObject[];
  },
): string {
  const key = publicKeyFrom(need(files, SIGNER), SIGNER);
  const fingerprint = fingerprintOf(key);
  if (
    String(key.export({ type: 'spki', format: 'pem' })) !== Buffer.from(files.get(SIGNER)!).toString('latin1')
  )
    throw new Error(`${SIGNER} holds more than a key`);
  if (fingerprint !== named?.key) throw new Error('it was made with another key than the log names');
  if (keys.length > 0 && !keys.some((each) => fingerprintOf(each) === fingerprint))
    throw new Error(`it was made with the key ${fingerprint}, which is none of those that are trusted`);
  const bytes = need(files, SIGNATURE);
  // The log names the signature itself: another one that fits, which ECDSA allows to be made, is none.
  if (sha256(bytes) !== named.signature) throw new Error('it is not the signature that the log names');
  const bundle = parseBundle(bytes);
  const check = checkKeySignature(bundle, key);
  if (!check.fits) throw new Error(check.reason);
  const statement = z
    .object({
      subject: z.tuple([z.object({ digest: z.object({ sha256: z.string() }) })]),
      predicateType: z.literal(EVIDENCE_PREDICATE),
      predicate: z.object({ case: z.string() }),
    })
    .parse(JSON.parse(Buffer.from(bundle.envelope.payload).toString('utf8')));
  if (`sha256:${statement.subject[0].digest.sha256}` !== digest || statement.predicate.case !== of)
    throw new Error('it is the signature of another manifest');
  return fingerprint;
}

/** Entries by their index, each of which leads to the root that the log signed. */
function checkEntries(
  files: Files,
  checkpoint: Checkpoint,
  add: Add,
  attempt: Attempt,
): ReadonlyMap<number, Uint8Array> | undefined {
  const lines = attempt(ENTRIES, () => linesOf(files, ENTRIES, entryLine));
  const proofs = attempt(PROOFS, () => linesOf(files, PROOFS, proofLine));
  if (!lines || !proofs) return undefined;
  const byIndex = new Map(proofs.map((each) => [each.index, each.proof]));
  const entries = new Map<number, Uint8Array>();
  let sound = byIndex.size === proofs.length && proofs.length === lines.length;
  if (!sound) add(PROOFS, false, 'expected one proof for each entry');
  for (const { index, entry } of lines) {
    const bytes = Buffer.from(entry, 'base64');
    const proof = byIndex.get(index)?.map((hash) => Buffer.from(hash, 'base64'));
    const root = proof && rootFromInclusion(index, checkpoint.size, leafHash(bytes), proof);
    if (root === undefined || !Buffer.from(root).equals(checkpoint.root) || entries.has(index)) {
      sound = add(ENTRIES, false, `entry ${index}: expected one whose proof leads to the log's signed state`);
    } else entries.set(index, bytes);
  }
  return sound ? entries : undefined;
}

function linesOf<T>(files: Files, path: string, shape: z.ZodType<T>): readonly T[] {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(need(files, path));
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.length > MOST_LINES)
    throw new Error(`expected at most ${MOST_LINES} whole lines`);
  return lines.map((line) => shape.parse(JSON.parse(line)));
}

interface Checking {
  readonly files: Files;
  readonly entries: ReadonlyMap<number, Uint8Array>;
  readonly manifest: Manifest;
  readonly add: Add;
  readonly attempt: Attempt;
}

const eventsShape = z.array(
  z.looseObject({
    id: z.string(),
    case: z.string(),
    at: z.number(),
    by: z.string(),
    what: z.looseObject({ kind: z.string() }),
    entry: z.int().min(0).optional(),
  }),
);

/** Holds what the store said happened against the log; gives how many the log vouches for. */
function checkEvents({ files, entries, manifest, add, attempt }: Checking): number {
  const path = 'events.json';
  const events = attempt(
    path,
    () => eventsShape.parse(parsed(files, path)) as unknown as readonly CaseEvent[],
  );
  const alarms = attempt('alarms.json', () =>
    z.array(z.looseObject({ id: z.string() })).parse(parsed(files, 'alarms.json')),
  );
  if (!events || !alarms) return 0;
  const missing = new Set(manifest.missing);
  const kept = new Map(alarms.map((alarm) => [alarm.id, canonical(alarm)]));
  let proven = 0;
  for (const event of events) {
    if (event.case !== manifest.case) add(path, false, `event ${event.id.slice(0, 40)} is of another case`);
    if (event.what.kind === 'alarm' && kept.get(event.what.alarm?.id) !== canonical(event.what.alarm))
      add(
        'alarms.json',
        false,
        `alarm ${String(event.what.alarm?.id).slice(0, 40)} is not the one of the events`,
      );
    const bytes = event.entry === undefined ? undefined : entries.get(event.entry);
    if (bytes !== undefined && tells(bytes, event)) proven++;
    else if (event.entry === undefined || !missing.has(event.entry))
      add(path, false, `event ${event.id.slice(0, 40)} is not what the log says of it`);
  }
  if (proven > 0 || events.length === 0)
    add(path, true, `${proven} of ${events.length} events are in the log as they are here`);
  return proven;
}

const rowsShape = z.array(
  z.looseObject({
    entry: z.int().min(0),
    id: z.string(),
    at: z.number(),
    model: z.string(),
    outcome: z.string(),
    n: z.number(),
  }),
);

/** Holds decisions against the log; gives how many it vouches for. */
function checkDecisions({ files, entries, manifest, add, attempt }: Checking): number {
  const missing = new Set(manifest.missing);
  const proven = new Set<number>();
  const paths = [...files.keys()].filter((path) => path === 'decisions.json' || path.startsWith('impact/'));
  for (const path of paths) {
    const rows = attempt(path, () => {
      const json = parsed(files, path);
      return rowsShape.parse(path === 'decisions.json' ? json : (json as { rows?: unknown }).rows);
    });
    let here = 0;
    for (const row of rows ?? []) {
      const bytes = entries.get(row.entry);
      if (bytes !== undefined && isDecision(bytes, row)) {
        proven.add(row.entry);
        here++;
      } else if (bytes !== undefined || !(missing.has(row.entry) || entries.size >= 20_000))
        add(path, false, `decision ${row.id.slice(0, 40)} is not what the log says of it`);
    }
    if (rows) add(path, true, `${here} of ${rows.length} decisions are in the log as they are here`);
  }
  return proven.size;
}

function isDecision(bytes: Uint8Array, row: z.output<typeof rowsShape>[number]): boolean {
  const read = decisionEntry.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  if (!read.success) return false;
  const { decision } = read.data;
  const same = (name: string) => canonical(decision[name] ?? null) === canonical(row[name] ?? null);
  return ['id', 'at', 'model', 'version', 'digest', 'outcome', 'n', 'top'].every(same);
}
