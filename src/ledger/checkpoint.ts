import { GlacisError } from '../core/error.ts';
import { type CheckpointBody, readCheckpoint } from './checkpoint-body.ts';
import { parseNote, type Verified, verifyNote } from './note.ts';
import type { NoteKey } from './note-key.ts';

/** Whom a reader of a log believes. */
export interface LogTrust {
  /** The log's name, which its checkpoints must have. */
  readonly origin: string;
  /** The log's own keys: every one of them must have signed, so that a second algorithm cannot be left out. */
  readonly keys: readonly NoteKey[];
  /** Keys of others who have seen the log, of which at least `quorum` must have signed. Default none. */
  readonly witnesses?: readonly NoteKey[] | undefined;
  /** Default: all witnesses. */
  readonly quorum?: number | undefined;
}

/** A checkpoint whose signatures were verified. */
export interface Checkpoint extends CheckpointBody {
  /** The signed note as it was read, to be remembered or passed on. */
  readonly note: Uint8Array;
  /**
   * When it was signed last (seconds since 1970), as the log's own timed signatures say: the earliest of them, so that one
   * stolen key cannot make it look fresh. Missing where no key of the log signs with the time.
   */
  readonly at?: number;
}

/**
 * Verifies a signed checkpoint.
 *
 * @param bytes attacker-controlled
 * @throws GlacisError `ledger/unreadable`; `ledger/untrusted` for another log, a missing or wrong signature
 */
export function openCheckpoint(bytes: Uint8Array, trust: LogTrust, where = 'checkpoint'): Checkpoint {
  const { origin, keys, witnesses = [], quorum = witnesses.length } = trust;
  const untrusted = (message: string) => new GlacisError('ledger/untrusted', `${where}: ${message}`);
  if (keys.length === 0) throw untrusted('expected a key of the log to verify with, got none');
  const note = parseNote(bytes, where);
  const verified = verifyNote(note, [...keys, ...witnesses], where);
  const signed = (key: NoteKey): Verified | undefined => verified.find((v) => v.key === key);
  const missing = keys.filter((key) => signed(key) === undefined);
  if (missing.length > 0)
    throw untrusted(
      `expected the log's signature with ${missing.map((key) => `${key.algorithm} (${key.id})`).join(' and ')}, got none`,
    );
  // Counted by key and not by name: nobody is two witnesses.
  const seen = new Set(
    witnesses
      .filter((key) => signed(key))
      .map((key) => key.publicKey.export({ format: 'pem', type: 'spki' })),
  ).size;
  if (seen < quorum) throw untrusted(`expected signatures of ${quorum} witnesses, got ${seen}`);
  const body = readCheckpoint(note.text);
  if (body === undefined)
    throw new GlacisError(
      'ledger/unreadable',
      `${where}: expected the lines origin, size and root of a checkpoint`,
    );
  if (body.origin !== origin) throw untrusted(`expected the log '${origin}', got '${body.origin}'`);
  const times = keys.flatMap((key) => signed(key)?.at ?? []);
  return Object.freeze({ ...body, note: bytes, ...(times.length > 0 && { at: Math.min(...times) }) });
}
