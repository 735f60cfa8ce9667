import { throwIfCancelled } from '../../../core/cancel.ts';
import { GlacisError } from '../../../core/error.ts';
import type { ByteSource } from '../../../data/byte-source.ts';

/**
 * Unpacks bzip2, block by block: at most 900 kB come out of a block, and nothing else is held. Streams may follow each other.
 * Written here because the packages for it hold whole files or are unmaintained, and the content is attacker-controlled.
 * Errors: `data/unreadable` (damaged, cut short, checksums that do not match).
 * Source: the format as bzip2 1.0.8 writes it (decompress.c, huffman.c).
 */
export async function* bunzip2(
  source: ByteSource,
  where: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const bits = new Bits(source, where);
  while (await bits.more()) {
    throwIfCancelled(signal, 'unpacking bzip2');
    await bits.fill();
    if (bits.take(24) !== 0x425a68) throw bits.fail('no bzip2 header');
    const level = bits.take(8) - 0x30;
    if (level < 1 || level > 9) throw bits.fail('a block size that does not exist');
    let combined = 0;
    for (;;) {
      await bits.fill();
      const [high, low] = [bits.take(24), bits.take(24)];
      const crc = bits.take(32);
      if (high === 0x177245 && low === 0x385090) {
        if (crc !== combined) throw bits.fail('the checksum is another');
        bits.align();
        break;
      }
      if (high !== 0x314159 || low !== 0x265359) throw bits.fail('no block where one should begin');
      const block = readBlock(bits, 100_000 * level);
      const found = checksum(block);
      yield block;
      if (found !== crc) throw bits.fail("a block's checksum is another");
      combined = ((combined << 1) | (combined >>> 31)) ^ crc;
      combined >>>= 0;
    }
  }
}

/** A compressed block takes at most this many bytes; twice the largest block is more than enough. */
const WINDOW = 2_000_000;

/** Bits from the most significant on, out of a window that is filled between blocks. */
class Bits {
  readonly #source: ByteSource;
  readonly #where: string;
  #window: Uint8Array = new Uint8Array(0);
  #base = 0;
  /** The next bit, counted in the window. */
  #next = 0;

  constructor(source: ByteSource, where: string) {
    this.#source = source;
    this.#where = where;
  }

  fail(what: string): GlacisError {
    return new GlacisError('data/unreadable', `${this.#where}: expected bzip2, got ${what}`);
  }

  async more(): Promise<boolean> {
    return this.#base + (this.#next >> 3) < this.#source.size;
  }

  async fill(): Promise<void> {
    const at = this.#next >> 3;
    if (this.#window.length - at >= WINDOW / 2) return;
    this.#base += at;
    this.#next &= 7;
    this.#window = await this.#source.read(this.#base, Math.min(WINDOW, this.#source.size - this.#base));
  }

  take(count: number): number {
    let value = 0;
    for (let left = count; left > 0; ) {
      const byte = this.#window[this.#next >> 3];
      if (byte === undefined) throw this.fail('the end in the middle of a block');
      const there = 8 - (this.#next & 7);
      const used = Math.min(there, left);
      value = value * 2 ** used + ((byte >> (there - used)) & ((1 << used) - 1));
      this.#next += used;
      left -= used;
    }
    return value;
  }

  bit(): number {
    const byte = this.#window[this.#next >> 3];
    if (byte === undefined) throw this.fail('the end in the middle of a block');
    return (byte >> (7 - (this.#next++ & 7))) & 1;
  }

  align(): void {
    this.#next = (this.#next + 7) & ~7;
  }
}

const MAX_LENGTH = 20;
const GROUP = 50;

/** A Huffman code: symbols in the order of their codes, with the limits of each length. */
interface Code {
  readonly symbols: Uint16Array;
  /** Largest code of a length; -1 where there is none. */
  readonly limit: Int32Array;
  /** What is taken off a code of a length to give the place of its symbol. */
  readonly base: Int32Array;
}

function readBlock(bits: Bits, most: number): Uint8Array {
  const randomised = bits.bit();
  if (randomised) throw bits.fail('a randomised block, which no bzip2 since 0.9.5 writes');
  const origin = bits.take(24);
  const used: number[] = [];
  const groups = bits.take(16);
  for (let i = 0; i < 16; i++) {
    if ((groups & (0x8000 >> i)) === 0) continue;
    const members = bits.take(16);
    for (let j = 0; j < 16; j++) if ((members & (0x8000 >> j)) !== 0) used.push(16 * i + j);
  }
  if (used.length === 0) throw bits.fail('a block without symbols');
  const selectors = readSelectors(bits);
  const codes = Array.from({ length: selectors.codes }, () => readCode(bits, used.length + 2));
  return unsorted(bits, readSymbols(bits, used, selectors.order, codes, most), origin);
}

function readSelectors(bits: Bits): { readonly codes: number; readonly order: Uint8Array } {
  const codes = bits.take(3);
  const count = bits.take(15);
  if (codes < 2 || codes > 6 || count === 0) throw bits.fail('an impossible number of codes');
  const front = [0, 1, 2, 3, 4, 5].slice(0, codes);
  const order = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let place = 0;
    while (bits.bit()) if (++place >= codes) throw bits.fail('a code that does not exist');
    const [code] = front.splice(place, 1);
    front.unshift(code!);
    order[i] = code!;
  }
  return { codes, order };
}

function readCode(bits: Bits, count: number): Code {
  const lengths = new Uint8Array(count);
  let length = bits.take(5);
  for (let i = 0; i < count; i++) {
    for (;;) {
      if (length < 1 || length > MAX_LENGTH) throw bits.fail('a code of impossible length');
      if (!bits.bit()) break;
      length += bits.bit() ? -1 : 1;
    }
    lengths[i] = length;
  }
  const symbols = new Uint16Array(count);
  const limit = new Int32Array(MAX_LENGTH + 1).fill(-1);
  const base = new Int32Array(MAX_LENGTH + 1);
  let code = 0;
  let place = 0;
  for (let n = 1; n <= MAX_LENGTH; n++) {
    base[n] = code - place;
    for (let symbol = 0; symbol < count; symbol++) {
      if (lengths[symbol] !== n) continue;
      symbols[place++] = symbol;
      limit[n] = code++;
    }
    code <<= 1;
  }
  return { symbols, limit, base };
}

/** Huffman codes, runs and move-to-front undone: the last column of the sorted rotations. */
function readSymbols(
  bits: Bits,
  used: readonly number[],
  order: Uint8Array,
  codes: readonly Code[],
  most: number,
): Uint8Array {
  const column = new Uint8Array(most);
  const front = Uint8Array.from(used);
  const end = used.length + 1;
  let length = 0;
  let run = 0;
  let weight = 1;
  for (let i = 0; ; i++) {
    const code = codes[order[Math.floor(i / GROUP)] ?? -1];
    if (code === undefined) throw bits.fail('more symbols than are announced');
    let value = 0;
    let n = 0;
    do {
      if (++n > MAX_LENGTH) throw bits.fail('a code that stands for nothing');
      value = (value << 1) | bits.bit();
    } while (value > code.limit[n]! || value - code.base[n]! < 0);
    const symbol = code.symbols[value - code.base[n]!]!;
    if (symbol <= 1) {
      run += weight << symbol;
      weight <<= 1;
      if (run > most) throw bits.fail('a run that is too long');
      continue;
    }
    if (run > 0) {
      if (length + run > most) throw bits.fail('a block that is too long');
      column.fill(front[0]!, length, length + run);
      length += run;
      run = 0;
    }
    weight = 1;
    if (symbol === end) return column.subarray(0, length);
    if (length >= most) throw bits.fail('a block that is too long');
    const byte = front[symbol - 1]!;
    front.copyWithin(1, 0, symbol - 1);
    front[0] = byte;
    column[length++] = byte;
  }
}

/** The sorting undone (Burrows and Wheeler 1994), then runs of four equal bytes with a count after them. */
function unsorted(bits: Bits, column: Uint8Array, origin: number): Uint8Array {
  const { length } = column;
  if (origin >= length) throw bits.fail('an origin outside the block');
  const starts = new Uint32Array(257);
  for (const byte of column) starts[byte + 1]!++;
  for (let i = 0; i < 256; i++) starts[i + 1]! += starts[i]!;
  const next = new Uint32Array(length);
  for (let i = 0; i < length; i++) next[starts[column[i]!]!++] = i;
  let out = new Uint8Array(length + 1024);
  let size = 0;
  let equal = 0;
  let last = -1;
  let at = next[origin]!;
  for (let i = 0; i < length; i++, at = next[at]!) {
    const byte = column[at]!;
    const copies = equal === 4 ? byte : 1;
    if (size + copies > out.length) {
      const larger = new Uint8Array(2 * out.length + copies);
      larger.set(out.subarray(0, size));
      out = larger;
    }
    if (equal === 4) {
      out.fill(last, size, size + copies);
      equal = 0;
      last = -1;
    } else {
      out[size] = byte;
      equal = byte === last ? equal + 1 : 1;
      last = byte;
    }
    size += copies;
  }
  return out.subarray(0, size);
}

/** CRC-32 with the most significant bit first, as bzip2 has it. */
function checksum(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = (crc << 8) ^ TABLE[(crc >>> 24) ^ byte]!;
  return ~crc >>> 0;
}

const TABLE = Int32Array.from({ length: 256 }, (_, i) => {
  let crc = i << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});
