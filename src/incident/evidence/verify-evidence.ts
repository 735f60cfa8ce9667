import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { type LogTrust, openCheckpoint } from '../../ledger/index.ts';
import { sha256 } from '../canonical.ts';
import { CHECKPOINT, ENTRIES, MANIFEST, manifestShape, SEAL, SIGNATURE } from './bundle-files.ts';
import { need, parsed } from './bundle-reading.ts';
import { checkDecisions, checkEntries, checkEvents } from './check-against-log.ts';
import { checkSeal, checkSignature, compareFiles } from './check-manifest.ts';
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

function reason(thrown: unknown): string {
  if (thrown instanceof GlacisError) return thrown.message;
  if (thrown instanceof z.ZodError) {
    const [issue] = thrown.issues;
    return `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is not what it should be'}`.slice(0, 300);
  }
  return thrown instanceof Error ? thrown.message.slice(0, 300) : 'it cannot be read';
}
