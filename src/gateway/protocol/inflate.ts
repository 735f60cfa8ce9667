import { createDeflate, createGunzip, createGzip, createInflate, type Gunzip, type Inflate } from 'node:zlib';
import type { Lease } from './byte-budget.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import { Turns } from './turns.ts';

/** Encodings of bodies and messages that are understood. `deflate` is zlib's format, as HTTP has it. */
export type Encoding = 'gzip' | 'deflate';

/** Why a body is not inflated. */
export type InflateFault = 'too-large' | 'busy' | 'malformed';

/** Bodies that are inflated at once; others wait. The thread pool also writes the log. */
const AT_ONCE = 2;
const PIECE = 65_536;

/** Inflates bodies in the thread pool, in pieces of 64 KiB, never beyond a bound. */
export class Inflater {
  readonly #turns = new Turns(AT_ONCE);

  /** The inflated bytes, at most `most`. What follows the compressed data is refused, not passed over. */
  async inflate(
    bytes: Uint8Array,
    encoding: Encoding,
    options: {
      readonly most: number;
      readonly lease: Lease;
      readonly align?: number;
      /** Whose request it is: addresses take turns. */
      readonly address: string;
    },
  ): Promise<Uint8Array | InflateFault> {
    const turn = this.#turns.take(options.address);
    if (turn) await turn;
    try {
      return await inflated(bytes, encoding, options.most, options.lease, options.align);
    } finally {
      this.#turns.give();
    }
  }
}

function inflated(
  bytes: Uint8Array,
  encoding: Encoding,
  most: number,
  lease: Lease,
  align: number | undefined,
): Promise<Uint8Array | InflateFault> {
  const held = bytes.length;
  // Both forms are held until the end: the lease counts the compressed one beside what is gathered.
  const beside: Lease = { grow: (wanted) => lease.grow(wanted + held), end: () => {} };
  const into = new GatheredBytes(undefined, most, beside, align);
  const stream: Gunzip | Inflate = (encoding === 'gzip' ? createGunzip : createInflate)({ chunkSize: PIECE });
  return new Promise((resolve) => {
    const finish = (with_: Uint8Array | InflateFault): void => {
      stream.destroy();
      resolve(with_);
    };
    stream.on('data', (piece: Buffer) => {
      const overflow = into.add(piece);
      if (overflow) finish(overflow);
    });
    stream.on('error', () => finish('malformed'));
    stream.on('end', () => finish(stream.bytesWritten === held ? into.bytes() : 'malformed'));
    stream.end(bytes);
  });
}

/** Compresses an answer in the thread pool, fast rather than small. */
export function compress(pieces: readonly Uint8Array[], encoding: Encoding): Promise<Buffer> {
  const stream = encoding === 'gzip' ? createGzip({ level: 1 }) : createDeflate({ level: 1 });
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', reject);
    stream.on('end', () => resolve(Buffer.concat(parts)));
    for (const piece of pieces) stream.write(piece);
    stream.end();
  });
}

/** What a caller would take compressed (RFC 9110, section 12.5.3), `gzip` before `deflate`; undefined: as it is. */
export function acceptedEncoding(header: string | undefined): Encoding | undefined {
  if (header === undefined || header.length > 256) return undefined;
  let found: Encoding | undefined;
  for (const part of header.split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    if (parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter))) continue;
    if (name === 'gzip') return 'gzip';
    if (name === 'deflate') found = 'deflate';
  }
  return found;
}
