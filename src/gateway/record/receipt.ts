import { GlacisError } from '../../core/error.ts';
import { type Checkpoint, type LogTrust, leafHash, parseProof, verifyLeafProof } from '../../ledger/index.ts';

/**
 * What a receipt holds beside the proof: the hash of the entry, and the entry itself only where an operator writes it for somebody. Callers get
 * the hash alone, because an entry says more than a caller may know; later it shows whether an entry that they are shown is theirs.
 */
export function receiptExtra(leaf: Uint8Array, entry?: Uint8Array): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      schema: 'glacis.receipt/1',
      leaf: Buffer.from(leaf).toString('hex'),
      ...(entry && { entry: Buffer.from(entry).toString('base64') }),
    }),
  );
}

/** A receipt that holds. */
export interface CheckedReceipt {
  readonly index: number;
  readonly checkpoint: Checkpoint;
  /** Hexadecimal leaf hash of the entry. */
  readonly leaf: string;
  /** The entry, where the receipt holds it or it was given. */
  readonly entry?: Uint8Array | undefined;
}

/**
 * Checks a receipt without the log. Everything in it is attacker-controlled; what it says of the entry counts only because the proof leads from it.
 * Errors: `ledger/unreadable`, `ledger/untrusted`.
 */
export function checkReceipt(
  text: string,
  trust: LogTrust,
  where: string,
  given?: Uint8Array,
): CheckedReceipt {
  const { extra } = parseProof(text, where);
  let leaf: string | undefined;
  let entry = given;
  if (extra !== undefined) {
    try {
      const found = JSON.parse(Buffer.from(extra).toString('utf8')) as { leaf?: unknown; entry?: unknown };
      if (typeof found.leaf === 'string' && /^[0-9a-f]{64}$/.test(found.leaf)) leaf = found.leaf;
      if (entry === undefined && typeof found.entry === 'string') entry = Buffer.from(found.entry, 'base64');
    } catch {
      // Somebody else's extra data.
    }
  }
  if (entry !== undefined) leaf = Buffer.from(leafHash(entry)).toString('hex');
  if (leaf === undefined)
    throw new GlacisError(
      'ledger/unreadable',
      `${where}: expected a receipt that names its entry, or the entry with --entry FILE`,
    );
  const { index, checkpoint } = verifyLeafProof(text, Buffer.from(leaf, 'hex'), trust, where);
  return { index, checkpoint, leaf, entry };
}
