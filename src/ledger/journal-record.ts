import { hash, sign, verify } from 'node:crypto';
import { GlacisError } from '../core/error.ts';
import { MOST_BUNDLE_BYTES } from './entry-bundle.ts';
import { HASH_BYTES, sameHash } from './merkle.ts';
import type { NoteKey, NoteSigner } from './note-key.ts';

/** What a record of the journal holds: the state that a segment begins with, or entries that were acknowledged together. */
export type RecordKind = 'segment' | 'batch';

const MAGIC = { segment: Buffer.from('GLJsegm1'), batch: Buffer.from('GLJbatc1') } as const;
const MAGIC_BYTES = 8;
/** Magic, payload's length, count of entries, index of the first, time, and the id of the record before. */
const HEAD_BYTES = MAGIC_BYTES + 4 + 4 + 8 + 8 + HASH_BYTES;
/** A zero byte stands in no note, so that no signature of a record passes as one of a checkpoint. */
const CONTEXT = Buffer.from('glacis journal/v1\n\0');

/** Bytes of a record's payload at most. */
export const MOST_PAYLOAD_BYTES = MOST_BUNDLE_BYTES + (1 << 20);

/** What stands before the first record. */
export const NO_RECORD: Uint8Array = Buffer.alloc(HASH_BYTES);

/** A record of the journal. */
export interface JournalRecord {
  readonly kind: RecordKind;
  /** Entries in the payload; 0 for a segment. */
  readonly count: number;
  /** Index of the first entry; for a segment, the tree's size. */
  readonly start: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The id of the record before: records are a chain, through all segments. */
  readonly previous: Uint8Array;
  readonly payload: Uint8Array;
  /** SHA-256 of all of it. */
  readonly id: Uint8Array;
}

/** The key that signs records: the plain Ed25519 one where there is one, because it is quick. */
export function journalKey<K extends NoteKey>(keys: readonly K[]): K {
  return keys.find(({ algorithm }) => algorithm === 'ed25519') ?? keys[0]!;
}

/** A record as it is written, and its id. `payload` is given in parts. */
export function formatRecord(
  signer: NoteSigner,
  record: Pick<JournalRecord, 'kind' | 'count' | 'start' | 'at' | 'previous'>,
  payload: readonly Uint8Array[],
): { readonly bytes: Uint8Array; readonly id: Uint8Array } {
  const length = payload.reduce((sum, part) => sum + part.length, 0);
  const end = HEAD_BYTES + length;
  const bytes = Buffer.allocUnsafe(end + signatureBytes(signer));
  MAGIC[record.kind].copy(bytes);
  bytes.writeUInt32BE(length, 8);
  bytes.writeUInt32BE(record.count, 12);
  bytes.writeBigUInt64BE(BigInt(record.start), 16);
  bytes.writeBigUInt64BE(BigInt(record.at), 24);
  bytes.set(record.previous, 32);
  let at = HEAD_BYTES;
  for (const part of payload) {
    bytes.set(part, at);
    at += part.length;
  }
  const id = hash('sha256', bytes.subarray(0, end), 'buffer');
  bytes.set(sign(null, Buffer.concat([CONTEXT, id]), signer.privateKey), end);
  return { bytes, id };
}

function signatureBytes({ algorithm }: NoteKey): number {
  return algorithm === 'ml-dsa-44-cosignature' ? 2420 : 64;
}

/** A segment as it was found. */
export interface Segment {
  /** Records whose signatures are right and that follow each other; the first is of kind `segment`. */
  readonly records: readonly JournalRecord[];
  /** Bytes behind them that are no record, up to the last that is not zero: what a crash left of one that nobody was told about. */
  readonly torn: number;
}

/** Tries to find a record behind damage; each costs a hash of what it claims to be. */
const MOST_TRIES = 4096;

/**
 * Reads a segment up to where it was torn. Sound because the next record is only written when the one before is on the disk: one that is
 * broken and has an intact one behind it was not torn by a crash.
 *
 * @param bytes attacker-controlled
 * @throws GlacisError `ledger/untrusted` for damage with intact records behind it, or records that do not follow each other
 */
export function readSegment(bytes: Uint8Array, key: NoteKey, where: string): Segment {
  const records: JournalRecord[] = [];
  let at = 0;
  for (let next = readRecord(bytes, at, key); next !== undefined; next = readRecord(bytes, at, key)) {
    const last = records.at(-1);
    const follows =
      last === undefined
        ? next.record.kind === 'segment'
        : next.record.kind === 'batch' &&
          next.record.start === last.start + last.count &&
          sameHash(next.record.previous, last.id);
    if (!follows) throw broken(where, last, 'a record stands behind it that belongs elsewhere');
    records.push(next.record);
    at = next.end;
  }
  const last = records.at(-1);
  const rest = Buffer.from(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
  let tries = 0;
  let hashed = 0;
  for (const magic of Object.values(MAGIC))
    for (let found = rest.indexOf(magic); found >= 0; found = rest.indexOf(magic, found + 1)) {
      // A crash leaves the beginning of one record. More of them is no accident.
      hashed += claimedLength(rest, found);
      if (++tries > MOST_TRIES || hashed > 4 * bytes.length + MOST_PAYLOAD_BYTES)
        throw broken(where, last, 'it was filled with the beginnings of records');
      if (readRecord(rest, found, key) !== undefined)
        throw broken(where, last, 'intact records stand behind damaged ones');
    }
  return { records, torn: lengthWithoutZeros(rest) };
}

/** Room was made with zeros for records that did not come. */
function lengthWithoutZeros(bytes: Uint8Array): number {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length--;
  return length;
}

/** The entries of a batch. `payload` was signed by the log, and is read with care all the same. Errors: `ledger/unreadable`. */
export function entriesOf({ payload, count, start }: JournalRecord): readonly Uint8Array[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at + 2 <= payload.length) {
    const end = at + 2 + view.getUint16(at);
    if (end > payload.length) break;
    entries.push(payload.subarray(at + 2, end));
    at = end;
  }
  if (entries.length !== count || at !== payload.length)
    throw new GlacisError(
      'ledger/unreadable',
      `journal: expected ${count} entries from ${start} on and nothing else, got ${entries.length}`,
    );
  return entries;
}

function claimedLength(bytes: Buffer, at: number): number {
  return at + HEAD_BYTES > bytes.length ? 0 : Math.min(bytes.readUInt32BE(at + 8), bytes.length - at);
}

/** The record at `at` and where it ends, when it is whole and signed by `key`. `bytes` are attacker-controlled. */
function readRecord(
  bytes: Uint8Array,
  at: number,
  key: NoteKey,
): { readonly record: JournalRecord; readonly end: number } | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + HEAD_BYTES > buffer.length) return undefined;
  const magic = buffer.subarray(at, at + MAGIC_BYTES);
  const kind = MAGIC.batch.equals(magic) ? 'batch' : MAGIC.segment.equals(magic) ? 'segment' : undefined;
  const length = buffer.readUInt32BE(at + 8);
  const [start, time] = [buffer.readBigUInt64BE(at + 16), buffer.readBigUInt64BE(at + 24)];
  const signed = at + HEAD_BYTES + length;
  const end = signed + signatureBytes(key);
  if (kind === undefined || length > MOST_PAYLOAD_BYTES || end > buffer.length) return undefined;
  if (start > Number.MAX_SAFE_INTEGER || time > Number.MAX_SAFE_INTEGER) return undefined;
  const id = hash('sha256', buffer.subarray(at, signed), 'buffer');
  if (!verify(null, Buffer.concat([CONTEXT, id]), key.publicKey, buffer.subarray(signed, end)))
    return undefined;
  const record = {
    kind,
    count: buffer.readUInt32BE(at + 12),
    start: Number(start),
    at: Number(time),
    previous: buffer.subarray(at + 32, at + HEAD_BYTES),
    payload: buffer.subarray(at + HEAD_BYTES, signed),
    id,
  } as const;
  return { record, end };
}

function broken(where: string, last: JournalRecord | undefined, what: string): GlacisError {
  const after = last ? `after entry ${last.start + last.count - 1}` : 'at its beginning';
  return new GlacisError(
    'ledger/untrusted',
    `${where}: expected records as they were written, but ${after} the journal was changed: ${what}`,
  );
}
