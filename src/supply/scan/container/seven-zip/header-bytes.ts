import { GlacisError } from '../../../../core/error.ts';

/** Reads the fields of a 7z header, which is in memory and attacker-controlled. Errors: `data/unreadable`. */
export class HeaderBytes {
  readonly #bytes: Uint8Array;
  readonly #where: string;
  #at = 0;

  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes;
    this.#where = where;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  fail(what: string): GlacisError {
    return new GlacisError('data/unreadable', `${this.#where}: expected a 7z header, got ${what}`);
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw this.fail('its end too early');
    return byte;
  }

  take(length: number): Uint8Array {
    if (length > this.left) throw this.fail(`${length} bytes where ${this.left} are left`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** The next `length` bytes as a header of their own. */
  part(length: number): HeaderBytes {
    return new HeaderBytes(this.take(length), this.#where);
  }

  u32(): number {
    const bytes = this.take(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  /** A number of one to nine bytes: the ones in front of the first byte say how many follow, the rest of it is the highest part. */
  number(): number {
    const first = this.byte();
    let value = 0;
    let weight = 1;
    let mask = 0x80;
    for (; mask !== 0 && (first & mask) !== 0; mask >>= 1) {
      value += this.byte() * weight;
      weight *= 256;
    }
    value += mask === 0 ? 0 : (first & (mask - 1)) * weight;
    if (!Number.isSafeInteger(value)) throw this.fail('a number that no archive needs');
    return value;
  }

  /** A number of things of which each takes a byte of the header at least. Errors: `scan/limit` where there are more than `most`. */
  count(most: number): number {
    const count = this.number();
    if (count > this.left) throw this.fail(`${count} entries in ${this.left} bytes`);
    if (count > most)
      throw new GlacisError('scan/limit', `${this.#where}: expected at most ${most} entries, got ${count}`);
    return count;
  }

  /** One bit for each of `count` things, the highest first. */
  bits(count: number): readonly boolean[] {
    const bytes = this.take(Math.ceil(count / 8));
    return Array.from({ length: count }, (_, i) => (bytes[i >> 3]! & (0x80 >> (i & 7))) !== 0);
  }

  /** Bits as {@link bits}, or a single byte that says that all are set. */
  bitsOrAll(count: number): readonly boolean[] {
    return this.byte() === 0 ? this.bits(count) : new Array<boolean>(count).fill(true);
  }

  /** Requires that the next byte is `expected`. */
  require(expected: number, what: string): void {
    const got = this.byte();
    if (got !== expected) throw this.fail(`0x${got.toString(16)} instead of ${what}`);
  }
}
