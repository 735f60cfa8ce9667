import { GlacisError } from '../../../core/error.ts';
import { type ByteSource, memorySource, rangeSource } from '../../../data/byte-source.ts';
import type { ScanContext } from '../scanner.ts';
import { OPCODES } from './opcodes.ts';
import { PICKLE_RULES } from './rules.ts';
import type { Bytes, LongText } from './value.ts';

/** Bytes that a pickle makes of a text: where they are no range of the stream, they are held. */
interface Encoded {
  readonly value: Bytes;
  readonly content: Uint8Array;
}

/** Beginnings of containers and formats with a mark; pickles begin with an opcode. */
const MARKS: readonly string[] = [
  'PK',
  '\x1f\x8b',
  'BZh',
  '\xfd7zXZ',
  '\x28\xb5\x2f\xfd',
  '7z\xbc',
  '\x78',
  '\x89HDF',
  '\x93NUMPY',
  'GGUF',
];

/** Contents of one pickle that are looked at, and bytes of them that are held in memory. */
const MAX_CONTENTS = 20_000;
const MAX_HELD = 1 << 25;

/** Bytes and texts in a pickle that may be a file of their own. */
export class Contents {
  readonly #found: (Bytes | LongText | Encoded)[] = [];
  readonly #loaded = new Set<Bytes>();
  #held = 0;
  readonly #most: number;

  constructor(most = MAX_CONTENTS) {
    this.#most = most;
  }

  /** Bytes of the stream; only what may begin a file is kept. Errors: `scan/limit`. */
  add(value: Bytes): void {
    if (value.length >= 4 && mayBegin(value.head)) this.#push(value);
  }

  /** A text of the stream that is turned into bytes. Errors: `scan/limit`. */
  addText(text: LongText): void {
    this.#push(text);
  }

  /** Bytes that were made of a short text. Errors: `scan/limit`. */
  addEncoded(value: Bytes, content: Uint8Array): void {
    this.#held += content.length;
    if (this.#held > MAX_HELD)
      throw new GlacisError(
        'scan/limit',
        `expected at most ${MAX_HELD} bytes in texts of one pickle, got more`,
      );
    this.#push({ value, content });
  }

  /** Says that a function is going to load these bytes as a checkpoint, so that they have to be one. */
  load(value: Bytes): void {
    if (!this.#loaded.has(value)) this.#push(value);
    this.#loaded.add(value);
  }

  #push(content: Bytes | LongText | Encoded): void {
    if (this.#found.length >= this.#most)
      throw new GlacisError('scan/limit', `expected at most ${this.#most} files in one pickle, got more`);
    this.#found.push(content);
  }

  /** Scans them one level deeper. */
  async scan(source: ByteSource, context: ScanContext): Promise<void> {
    const encoded = new Map(
      this.#found.flatMap((found) => ('value' in found ? [[found.value, found.content]] : [])),
    );
    for (const found of new Set(this.#found)) {
      const value = 'value' in found ? found.value : found;
      if (value.kind === 'bytes' && value.offset < 0 && !('value' in found)) continue;
      const inner = await open(source, value, encoded, context);
      const place = value.offset < 0 ? 'bytes of a text' : `bytes at ${value.offset}`;
      const known = await context.nested(place, inner);
      if (!known && value.kind === 'bytes' && this.#loaded.has(value))
        context.report(
          PICKLE_RULES.unsafeArgument,
          'torch.storage._load_from_bytes on bytes of no known format',
          Math.max(0, value.offset),
        );
    }
  }
}

function mayBegin(head: string): boolean {
  return OPCODES[head.charCodeAt(0)] !== undefined || MARKS.some((mark) => head.startsWith(mark));
}

async function open(
  source: ByteSource,
  value: Bytes | LongText,
  encoded: ReadonlyMap<Bytes, Uint8Array>,
  { where }: ScanContext,
): Promise<ByteSource> {
  if (value.kind === 'bytes') {
    const held = encoded.get(value);
    return held ? memorySource(held, where) : rangeSource(source, value.offset, value.length, where);
  }
  // Bytes that were written as text: each character is one.
  const raw = Buffer.from(await source.read(value.offset, value.length));
  const text = raw.toString(value.encoding === 'utf-8' ? 'utf8' : 'latin1');
  return memorySource(new Uint8Array(Buffer.from(text, 'latin1')), where);
}
