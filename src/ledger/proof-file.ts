import { GlacisError } from '../core/error.ts';
import { type Checkpoint, type LogTrust, openCheckpoint } from './checkpoint.ts';
import { HASH_BYTES, leafHash, rootFromInclusion, sameHash } from './merkle.ts';
import { MOST_NOTE_BYTES } from './note.ts';
import { fromBase64 } from './note-key.ts';

/** The first line of a proof file. */
const HEADER = 'c2sp.org/tlog-proof@v1';
/** Most bytes of a proof file: a note, 63 hashes, and extra data. */
export const MOST_PROOF_BYTES = MOST_NOTE_BYTES + (1 << 17);
/** Hashes that the largest tree can ask for. */
const MOST_HASHES = 63;

/** What a tlog-proof file holds. */
export interface LogProof {
  readonly index: number;
  /** From the leaf's neighbour to the root's child. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint. */
  readonly checkpoint: Uint8Array;
  /** Data of the application, which nothing vouches for. */
  readonly extra?: Uint8Array | undefined;
}

/** The text of a proof file (C2SP tlog-proof). */
export function formatProof({ index, proof, checkpoint, extra }: LogProof): string {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return [
    HEADER,
    ...(extra ? [`extra ${base64(extra)}`] : []),
    `index ${index}`,
    ...proof.map(base64),
    '',
    Buffer.from(checkpoint).toString('utf8'),
  ].join('\n');
}

/**
 * Reads a proof file; nothing in it is verified yet.
 *
 * @param text attacker-controlled
 * @throws GlacisError `ledger/unreadable`
 */
export function parseProof(text: string, where = 'proof'): LogProof {
  const fail = (expected: string): never => {
    throw new GlacisError('ledger/unreadable', `${where}: expected ${expected}`);
  };
  if (text.length > MOST_PROOF_BYTES) fail(`at most ${MOST_PROOF_BYTES} bytes`);
  const split = text.indexOf('\n\n');
  if (split < 0) fail('a proof, an empty line and a checkpoint');
  const lines = text.slice(0, split).split('\n');
  if (lines.shift() !== HEADER) fail(`the first line '${HEADER}'`);
  const extra = /^extra (.+)$/.exec(lines[0] ?? '');
  if (extra) lines.shift();
  const digits = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '')?.[1] ?? fail("a line 'index NUMBER'");
  if (lines.length > MOST_HASHES) fail(`at most ${MOST_HASHES} hashes, got ${lines.length}`);
  const proof = lines.map((line) => {
    const hash = fromBase64(line);
    return hash?.length === HASH_BYTES ? hash : fail('hashes of 32 bytes in base64');
  });
  return {
    index: Number(digits),
    proof,
    checkpoint: Buffer.from(text.slice(split + 2)),
    ...(extra && { extra: fromBase64(extra[1]!) ?? fail('extra data in base64') }),
  };
}

/**
 * Checks with a proof file alone that `entry` stands in the log; gives its index and the checkpoint that shows it.
 *
 * @param text attacker-controlled
 * @throws GlacisError `ledger/unreadable`, `ledger/untrusted`
 */
export function verifyProof(
  text: string,
  entry: Uint8Array,
  trust: LogTrust,
  where = 'proof',
): { readonly index: number; readonly checkpoint: Checkpoint } {
  return verifyLeafProof(text, leafHash(entry), trust, where);
}

/** {@link verifyProof} for who knows an entry's leaf hash and not the entry. */
export function verifyLeafProof(
  text: string,
  leaf: Uint8Array,
  trust: LogTrust,
  where = 'proof',
): { readonly index: number; readonly checkpoint: Checkpoint } {
  const { index, proof, checkpoint: note } = parseProof(text, where);
  const checkpoint = openCheckpoint(note, trust, where);
  const root = rootFromInclusion(index, checkpoint.size, leaf, proof);
  if (root === undefined || !sameHash(root, checkpoint.root))
    throw new GlacisError(
      'ledger/untrusted',
      `${where}: expected a proof that leads from this entry to the root that was signed`,
    );
  return { index, checkpoint };
}
