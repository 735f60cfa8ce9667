import { throwIfCancelled } from '../../../../core/cancel.ts';
import { GlacisError } from '../../../../core/error.ts';
import { type ByteSource, memorySource } from '../../../../data/byte-source.ts';
import { LzmaDecoder, type LzmaInput, MOST_A_SYMBOL } from './decoder.ts';

/** Packed bytes that are read at once. */
const READ = 1 << 18;
/** Unpacked bytes that are handed on at once, about. */
const PIECE = 1 << 20;

/** What the header around an LZMA stream says. */
export interface LzmaHeader {
  /** Bits of context and position in one byte. */
  readonly properties: number;
  readonly dictionary: number;
  /** Unpacked bytes; `undefined` where an end marker says it. */
  readonly size: number | undefined;
}

/**
 * Unpacks one LZMA stream from byte `start` of `source`; returns the byte behind it. Written here because the packages for it hold
 * whole contents and have no bound on what comes out. Errors: `data/unreadable`, `scan/limit`, `run/cancelled`.
 */
export async function* unlzma(
  source: ByteSource,
  start: number,
  { properties, dictionary, size }: LzmaHeader,
  where: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, number> {
  const decoder = new LzmaDecoder(dictionary, where);
  decoder.properties(properties);
  decoder.reset();
  const input: LzmaInput = { bytes: new Uint8Array(0), at: 0 };
  let base = start;
  const fill = async () => {
    throwIfCancelled(signal, 'unpacking LZMA');
    base += input.at;
    input.bytes = await source.read(base, Math.min(READ, source.size - base));
    input.at = 0;
  };
  await fill();
  decoder.begin(input);
  const { history } = decoder;
  for (let marked = false; !marked && history.total !== size; ) {
    const last = base + input.bytes.length >= source.size;
    const safe = last ? input.bytes.length : input.bytes.length - MOST_A_SYMBOL;
    const left = size === undefined ? Number.POSITIVE_INFINITY : size - history.total;
    try {
      marked = decoder.decode(input, safe, Math.min(PIECE, left), left <= PIECE) === 'end marker';
    } finally {
      // What came out before the damage is what a loader that reads as a stream has run by then.
      yield history.take();
    }
    if (input.at > safe) await fill();
  }
  if (size !== undefined && history.total !== size) throw decoder.fail('less than it declares');
  if (!decoder.finished) {
    if (base + input.bytes.length < source.size) await fill();
    // An end marker may follow a size that is declared.
    if (!(decoder.endMarker(input) && decoder.finished)) throw decoder.fail('an end that no encoder writes');
  }
  return base + input.at;
}

/**
 * Unpacks an LZMA2 stream, chunk by chunk, from the beginning of `source` to its end. Errors: as {@link unlzma}.
 * Source: the LZMA SDK's Lzma2Dec.c; a chunk is at most 64 KiB of 2 MiB.
 */
export async function* unlzma2(
  source: ByteSource,
  dictionary: number,
  where: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const decoder = new LzmaDecoder(dictionary, where);
  const { history } = decoder;
  let at = 0;
  // What a chunk has to bring before it may be read: all, new properties, a new state, nothing.
  let needs = 3;
  for (;;) {
    throwIfCancelled(signal, 'unpacking LZMA2');
    const head = await source.read(at, Math.min(6, source.size - at));
    const control = head[0];
    if (control === undefined) throw decoder.fail('the end where a chunk should begin');
    if (control === 0) break;
    const stored = control < 0x80;
    if (stored && control > 2) throw decoder.fail('a chunk of no kind');
    const brings = stored ? (control === 1 ? 3 : 0) : (control >> 5) & 3;
    const fields = stored ? 3 : brings >= 2 ? 6 : 5;
    if (head.length < fields) throw decoder.fail('the end in a header');
    if (brings < (stored ? (needs === 3 ? 3 : 0) : needs))
      throw decoder.fail('a chunk that lacks a beginning');
    if (brings === 3) history.empty();
    const size = ((stored ? 0 : control & 0x1f) << 16) + (head[1]! << 8) + head[2]! + 1;
    if (stored) {
      // One that is stored leaves the state as it is: 7-Zip goes on with it, liblzma begins anew.
      if (brings === 3) needs = 2;
      history.append(await chunk(source, at + fields, size, decoder));
      yield history.take();
      at += fields + size;
    } else {
      const packed = (head[3]! << 8) + head[4]! + 1;
      if (brings >= 2) {
        if ((head[5]! % 9) + (Math.floor(head[5]! / 9) % 5) > 4)
          throw decoder.fail('properties that do not exist');
        decoder.properties(head[5]!);
      }
      if (brings >= 1) decoder.reset();
      needs = 0;
      const input: LzmaInput = { bytes: await chunk(source, at + fields, packed, decoder), at: 0 };
      decoder.begin(input);
      const before = history.total;
      let marked = false;
      try {
        marked = decoder.decode(input, packed, size, true) === 'end marker';
      } finally {
        yield history.take();
      }
      if (marked || history.total - before !== size || input.at !== packed || !decoder.finished)
        throw decoder.fail('a chunk of another size');
      at += fields + packed;
    }
  }
  if (at + 1 !== source.size) throw decoder.fail(`${source.size - at - 1} bytes behind its end`);
}

async function chunk(
  source: ByteSource,
  at: number,
  size: number,
  decoder: LzmaDecoder,
): Promise<Uint8Array> {
  if (at + size > source.size) throw decoder.fail('the end in a chunk');
  return source.read(at, size);
}

/** The size of dictionary that an LZMA2 header's byte stands for; bytes that stand for none are as the largest. */
export function lzma2Dictionary(byte: number): number {
  return byte >= 40 ? 2 ** 32 - 1 : (2 | (byte & 1)) * 2 ** ((byte >> 1) + 11);
}

/** What begins a file in the format `.lzma`, which has no mark of its own: 13 bytes and the zero of the stream behind them. */
export function lzmaAloneHeader(head: Uint8Array): LzmaHeader | undefined {
  if (head.length < 18 || head[0]! >= 9 * 5 * 5 || head[13] !== 0) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, 18);
  const dictionary = view.getUint32(1, true);
  const size = view.getBigUint64(5, true);
  const marked = size === 0xffffffffffffffffn;
  // liblzma, whose reader tells these files from others, draws the same lines.
  if ((!marked && (size >= 1n << 38n || size === 0n)) || !isUsual(dictionary)) return undefined;
  return {
    properties: head[0]!,
    dictionary,
    size: marked ? undefined : Number(size),
  };
}

/** Whether a dictionary has a size that writers use: a power of two, or one and a half. */
function isUsual(dictionary: number): boolean {
  if (dictionary === 0 || dictionary === 0xffffffff) return true;
  const power = 2 ** (31 - Math.clz32(dictionary));
  return dictionary === power || dictionary === 1.5 * power;
}

/** Whether bytes begin a `.lzma` file. The header holds for much else, so the first bytes are unpacked. */
export async function beginsLzma(head: Uint8Array): Promise<boolean> {
  if (lzmaAloneHeader(head) === undefined) return false;
  const pieces = unlzmaAlone(memorySource(head, ''), '');
  try {
    // Of a longer file only the beginning is here; what comes out before it breaks off says enough.
    const { value } = await pieces.next();
    return (value?.length ?? 0) > 0;
  } catch {
    return false;
  } finally {
    await pieces.return(undefined);
  }
}

const ALONE_HEADER = 13;

/** Unpacks a file in the format `.lzma`, and those that follow it, as Python's lzma module does. Errors: as {@link unlzma}. */
export async function* unlzmaAlone(
  source: ByteSource,
  where: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.size; ) {
    const header = lzmaAloneHeader(await source.read(at, Math.min(18, source.size - at)));
    if (header === undefined)
      throw new GlacisError(
        'data/unreadable',
        `${where}: expected LZMA, got ${source.size - at} bytes behind its end`,
      );
    at = yield* unlzma(source, at + ALONE_HEADER, header, where, signal);
  }
}
