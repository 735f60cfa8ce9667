import { isUtf8 } from 'node:buffer';
import { GlacisError } from '../core/error.ts';
import { fromBase64, type NoteKey, type NoteSigner, signText, verifyText } from './note-key.ts';

/** Most bytes of a note; 64 signatures of the largest kind fit. */
export const MOST_NOTE_BYTES = 1 << 18;

/** Most signatures of a note; the specification wants 16 at least. */
const MOST_SIGNATURES = 64;

/** A signature line of a note. */
export interface NoteSignature {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** A note taken apart. Nothing in it may be used before a signature was verified. */
export interface Note {
  /** The text with its last newline. */
  readonly text: Uint8Array;
  readonly signatures: readonly NoteSignature[];
}

/** A key whose signature a note carries. */
export interface Verified {
  readonly key: NoteKey;
  /** When it was signed (seconds since 1970), for the algorithms that say it. */
  readonly at?: number;
}

/**
 * Takes a note apart (C2SP signed-note, "Format").
 *
 * @param bytes attacker-controlled
 * @throws GlacisError `ledger/unreadable`
 */
export function parseNote(bytes: Uint8Array, where = 'note'): Note {
  const fail = (expected: string): never => {
    throw new GlacisError('ledger/unreadable', `${where}: expected ${expected}`);
  };
  if (bytes.length > MOST_NOTE_BYTES) fail(`a note of at most ${MOST_NOTE_BYTES} bytes, got ${bytes.length}`);
  if (!isUtf8(bytes)) fail('a note in UTF-8');
  if (bytes.some((byte) => byte < 0x20 && byte !== 0x0a)) fail('a note without control characters');
  const buffer = Buffer.from(bytes);
  // The last empty line parts text and signatures; the text itself may have empty lines.
  const split = buffer.lastIndexOf('\n\n');
  if (split < 0 || buffer.at(-1) !== 0x0a) fail('text, an empty line, and signatures that end in a newline');
  const lines = buffer
    .toString('utf8', split + 2)
    .split('\n')
    .slice(0, -1);
  if (lines.length === 0) fail('a signature, got none');
  if (lines.length > MOST_SIGNATURES) fail(`at most ${MOST_SIGNATURES} signatures, got ${lines.length}`);
  const signatures = lines.map((line) => {
    const [, name = '', base64 = ''] = /^\u2014 ([^\s\u0085+]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line) ?? [];
    const blob = fromBase64(base64);
    if (name === '' || blob === undefined || blob.length < 5)
      return fail('lines of the form "— NAME SIGNATURE"');
    return { name, id: blob.toString('hex', 0, 4), bytes: blob.subarray(4) };
  });
  return { text: bytes.subarray(0, split + 1), signatures };
}

/**
 * The keys of `keys` that signed the note. A signature of another key is passed over, as the specification wants it; one
 * of a known key that does not verify condemns the note.
 *
 * @throws GlacisError `ledger/untrusted` when no known key signed it, or a known key's signature is wrong
 */
export function verifyNote(note: Note, keys: readonly NoteKey[], where = 'note'): readonly Verified[] {
  const verified: Verified[] = [];
  for (const { name, id, bytes } of note.signatures) {
    // Name and id may collide on purpose: each such key gets its say, and the signature must be that of one of them.
    const known = keys.filter((key) => key.name === name && key.id === id);
    if (known.length === 0) continue;
    const results = known.map((key) => ({ key, result: verifyText(key, note.text, bytes) }));
    const good = results.find(({ result }) => result !== false);
    if (good === undefined || good.result === false)
      throw new GlacisError('ledger/untrusted', `${where}: the signature of ${name} (${id}) is wrong`);
    verified.push({ key: good.key, ...good.result });
  }
  if (verified.length === 0)
    throw new GlacisError(
      'ledger/untrusted',
      `${where}: expected a signature of ${keys.map((key) => `${key.name} (${key.id})`).join(' or ') || 'a known key'}, got none`,
    );
  return verified;
}

/**
 * Signs `text`, which ends in a newline, with each of `signers`. `at` (seconds since 1970) is what timed signatures state.
 * Errors: `option/invalid`.
 */
export function signNote(text: string, signers: readonly NoteSigner[], at: number): Uint8Array {
  if (!text.endsWith('\n') || !text.isWellFormed() || /(?!\n)\p{Cc}/u.test(text))
    throw new GlacisError(
      'option/invalid',
      'note: expected text that ends in a newline and has no control characters',
    );
  if (signers.length === 0) throw new GlacisError('option/invalid', 'note: expected a signer, got none');
  return Buffer.concat([Buffer.from(`${text}\n`), signatureLines(Buffer.from(text), signers, at)]);
}

/**
 * The note with the signatures of further keys behind it, and its own bytes as they were: how a witness adds its word.
 * Signatures that the same keys made before are replaced.
 */
export function cosignNote(bytes: Uint8Array, signers: readonly NoteSigner[], at: number): Uint8Array {
  const { text, signatures } = parseNote(bytes);
  const kept = signatures.filter((s) => !signers.some((key) => key.name === s.name && key.id === s.id));
  const lines = kept.map(lineOf).join('');
  return Buffer.concat([text, Buffer.from(`\n${lines}`), signatureLines(text, signers, at)]);
}

function signatureLines(text: Uint8Array, signers: readonly NoteSigner[], at: number): Buffer {
  return Buffer.from(
    signers
      .map((signer) => lineOf({ name: signer.name, id: signer.id, bytes: signText(signer, text, at) }))
      .join(''),
  );
}

function lineOf({ name, id, bytes }: NoteSignature): string {
  return `\u2014 ${name} ${Buffer.concat([Buffer.from(id, 'hex'), bytes]).toString('base64')}\n`;
}
