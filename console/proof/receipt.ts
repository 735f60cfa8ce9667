import { fromBase64 } from './bytes.ts';

/** A tlog-proof (C2SP), taken apart. Nothing in it has been checked. */
export interface Receipt {
  readonly index: number;
  /** From the leaf's neighbour to the root's child. */
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: Note;
  /** The leaf that the receipt says it is about, hexadecimal. */
  readonly leaf: string | undefined;
}

/** A signed note (C2SP), taken apart. */
export interface Note {
  /** The text with its last newline: what is signed. */
  readonly text: string;
  readonly signatures: readonly {
    readonly name: string;
    /** Eight hexadecimal digits. */
    readonly id: string;
    readonly bytes: Uint8Array<ArrayBuffer>;
  }[];
}

/** What a checkpoint says: the log's name, its size and its root. */
export interface CheckpointText {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
const MOST = 1 << 19;

/** Reads a receipt; everything in it may be made up. Throws an `Error` that says what was expected. */
export function parseReceipt(text: string): Receipt {
  if (text.length > MOST) throw new Error('it is longer than any receipt');
  const split = text.indexOf('\n\n');
  if (split < 0) throw new Error('expected a proof, an empty line and a checkpoint');
  const lines = text.slice(0, split).split('\n');
  if (lines.shift() !== HEADER) throw new Error(`expected the first line “${HEADER}”`);
  const extra = /^extra (.+)$/.exec(lines[0] ?? '')?.[1];
  if (extra !== undefined) lines.shift();
  const digits = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '')?.[1];
  if (digits === undefined) throw new Error('expected a line “index NUMBER”');
  if (lines.length > 63) throw new Error('expected at most 63 hashes');
  const proof = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== 32) throw new Error('expected hashes of 32 bytes in base64');
    return hash;
  });
  return {
    index: Number(digits),
    proof,
    checkpoint: parseNote(text.slice(split + 2)),
    leaf: extra === undefined ? undefined : leafIn(extra),
  };
}

/** Reads a signed note. Throws an `Error` that says what was expected. */
export function parseNote(text: string): Note {
  if ([...text].some((character) => character < ' ' && character !== '\n'))
    throw new Error('expected a checkpoint without control characters');
  // The last empty line parts text and signatures.
  const split = text.lastIndexOf('\n\n');
  if (split < 0 || !text.endsWith('\n'))
    throw new Error('expected a checkpoint, an empty line, and signatures that end in a newline');
  const lines = text
    .slice(split + 2)
    .split('\n')
    .slice(0, -1);
  if (lines.length === 0 || lines.length > 64) throw new Error('expected 1 to 64 signatures');
  const signatures = lines.map((line) => {
    const [, name = '', base64 = ''] = /^\u2014 ([^\s\u0085+]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line) ?? [];
    const blob = fromBase64(base64);
    if (name === '' || blob === undefined || blob.length < 5)
      throw new Error('expected signatures of the form “— NAME SIGNATURE”');
    const id = Array.from(blob.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join('');
    return { name, id, bytes: blob.slice(4) };
  });
  return { text: text.slice(0, split + 1), signatures };
}

/** Reads the text of a checkpoint; `undefined` where it is none. */
export function readCheckpoint(text: string): CheckpointText | undefined {
  const [origin = '', digits = '', base64 = '', ...rest] = text.split('\n');
  if (rest.pop() !== '' || rest.includes('') || origin === '') return undefined;
  const size = /^(0|[1-9]\d{0,15})$/.test(digits) ? Number(digits) : Number.NaN;
  const root = fromBase64(base64);
  if (!Number.isSafeInteger(size) || root?.length !== 32) return undefined;
  return { origin, size, root };
}

/** The leaf hash in a receipt's own data; somebody else's data says nothing. */
function leafIn(extra: string): string | undefined {
  const bytes = fromBase64(extra);
  if (bytes === undefined) throw new Error('expected extra data in base64');
  try {
    const { leaf } = JSON.parse(new TextDecoder().decode(bytes)) as { leaf?: unknown };
    return typeof leaf === 'string' && /^[0-9a-f]{64}$/.test(leaf) ? leaf : undefined;
  } catch {
    return undefined;
  }
}
