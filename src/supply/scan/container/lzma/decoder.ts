import { GlacisError } from '../../../../core/error.ts';
import { History } from './history.ts';

/** Bytes that a decoder reads from. One symbol takes at most {@link MOST_A_SYMBOL} of them. */
export interface LzmaInput {
  bytes: Uint8Array;
  at: number;
}

/** No symbol takes more packed bytes than this (20 in liblzma, which counts the same). */
export const MOST_A_SYMBOL = 32;

const STATES = 12;
const POSITIONS = 16;
const HALF = 1024;

// Places of the probabilities in one table.
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * POSITIONS;
const IS_REP_0 = IS_REP + STATES;
const IS_REP_1 = IS_REP_0 + STATES;
const IS_REP_2 = IS_REP_1 + STATES;
const IS_REP_0_LONG = IS_REP_2 + STATES;
const SLOT = IS_REP_0_LONG + STATES * POSITIONS;
const SPECIAL = SLOT + 4 * 64;
const ALIGN = SPECIAL + 128;
const MATCH_LENGTH = ALIGN + 16;
const LENGTH_SIZE = 2 + 8 * POSITIONS + 8 * POSITIONS + 256;
const REP_LENGTH = MATCH_LENGTH + LENGTH_SIZE;
const LITERAL = REP_LENGTH + LENGTH_SIZE;

/**
 * Decodes LZMA symbols: a range coder over adaptive probabilities, literals and matches. Input comes in pieces, output goes to a
 * {@link History}, so that no size that a file declares is allocated. Everything that is read is attacker-controlled.
 * Errors: `data/unreadable` (damage), `scan/limit` (a match farther back than is kept).
 * Source: "LZMA specification" of the LZMA SDK (Igor Pavlov, public domain).
 */
export class LzmaDecoder {
  readonly history: History;
  readonly #where: string;
  #probabilities = new Uint16Array(0);
  #literalContext = 0;
  #literalPosition = 0;
  #positions = 0;
  #state = 0;
  /** The last four distances. */
  readonly #distances = new Uint32Array(4);
  /** Range and code. */
  readonly #range = new Uint32Array(2);

  constructor(dictionary: number, where: string) {
    this.history = new History(dictionary, where);
    this.#where = where;
  }

  /** Takes on the first byte of a header: bits of context, of the literal's position, of the position. */
  properties(byte: number): void {
    if (byte >= 9 * 5 * 5) throw this.fail('properties that do not exist');
    this.#literalContext = byte % 9;
    this.#literalPosition = Math.floor(byte / 9) % 5;
    this.#positions = (1 << Math.floor(byte / 45)) - 1;
    const size = LITERAL + (0x300 << (this.#literalContext + this.#literalPosition));
    if (this.#probabilities.length !== size) this.#probabilities = new Uint16Array(size);
  }

  /** Forgets what was learned; the history stays. */
  reset(): void {
    this.#probabilities.fill(HALF);
    this.#state = 0;
    this.#distances.fill(0);
  }

  /** Takes the first five bytes of a stream. */
  begin(input: LzmaInput): void {
    const { bytes, at } = input;
    if (bytes.length - at < 5) throw this.fail('the end in its first bytes');
    if (bytes[at] !== 0) throw this.fail('a first byte that is not zero');
    this.#range[0] = 0xffffffff;
    this.#range[1] = new DataView(bytes.buffer, bytes.byteOffset + at, 5).getUint32(1);
    input.at += 5;
  }

  /** Whether the range coder stands where an encoder leaves it. */
  get finished(): boolean {
    return this.#range[1] === 0;
  }

  /**
   * Decodes until `most` bytes came out, the input went past `inputEnd`, or an end marker was there. Where `exact`, a match
   * that goes past `most` is damage; else it is copied whole.
   */
  decode(input: LzmaInput, inputEnd: number, most: number, exact: boolean): 'more' | 'end marker' {
    const { history } = this;
    const distances = this.#distances;
    const end = history.total + most;
    while (history.total < end && input.at <= inputEnd) {
      const position = history.total & this.#positions;
      const state = this.#state;
      if (this.#bit(input, IS_MATCH + (state << 4) + position) === 0) {
        this.#literal(input);
        continue;
      }
      let length: number;
      if (this.#bit(input, IS_REP + state) === 0) {
        distances.copyWithin(1, 0, 3);
        length = this.#length(input, MATCH_LENGTH, position);
        distances[0] = this.#distance(input, length);
        this.#state = state < 7 ? 7 : 10;
        if (distances[0] === 0xffffffff) return 'end marker';
      } else {
        if (this.#bit(input, IS_REP_0 + state) === 0) {
          if (this.#bit(input, IS_REP_0_LONG + (state << 4) + position) === 0) {
            this.#state = state < 7 ? 9 : 11;
            history.copy(distances[0]! + 1, 1);
            continue;
          }
        } else {
          let distance = distances[1]!;
          if (this.#bit(input, IS_REP_1 + state) === 1) {
            if (this.#bit(input, IS_REP_2 + state) === 0) distance = distances[2]!;
            else {
              distance = distances[3]!;
              distances[3] = distances[2]!;
            }
            distances[2] = distances[1]!;
          }
          distances[1] = distances[0]!;
          distances[0] = distance;
        }
        length = this.#length(input, REP_LENGTH, position);
        this.#state = state < 7 ? 8 : 11;
      }
      const left = exact ? end - history.total : length + 2;
      history.copy(distances[0]! + 1, Math.min(length + 2, left));
      if (length + 2 > left) throw this.fail('more than it declares');
    }
    return 'more';
  }

  /** Decodes one symbol behind the last byte, which can only be an end marker. */
  endMarker(input: LzmaInput): boolean {
    const position = this.history.total & this.#positions;
    const state = this.#state;
    if (this.#bit(input, IS_MATCH + (state << 4) + position) === 0) return false;
    if (this.#bit(input, IS_REP + state) === 1) return false;
    const length = this.#length(input, MATCH_LENGTH, position);
    return this.#distance(input, length) === 0xffffffff;
  }

  fail(what: string): GlacisError {
    return new GlacisError('data/unreadable', `${this.#where}: expected LZMA, got ${what}`);
  }

  #bit(input: LzmaInput, index: number): 0 | 1 {
    const range = this.#range;
    const probabilities = this.#probabilities;
    const probability = probabilities[index]!;
    const bound = (range[0]! >>> 11) * probability;
    let bit: 0 | 1;
    if (range[1]! < bound) {
      range[0] = bound;
      probabilities[index] = probability + ((2048 - probability) >> 5);
      bit = 0;
    } else {
      range[0]! -= bound;
      range[1]! -= bound;
      probabilities[index] = probability - (probability >> 5);
      bit = 1;
    }
    if (range[0]! < 0x1000000) this.#shift(input);
    return bit;
  }

  /** Makes room in the range. */
  #shift(input: LzmaInput): void {
    const range = this.#range;
    const byte = input.bytes[input.at++];
    // Nothing is made up: a symbol whose bytes are not all there does not come out.
    if (byte === undefined) throw this.fail('the end in the middle');
    range[0] = range[0]! << 8;
    range[1] = (range[1]! << 8) | byte;
  }

  #literal(input: LzmaInput): void {
    const { history } = this;
    const place =
      ((history.total & ((1 << this.#literalPosition) - 1)) << this.#literalContext) |
      (history.last >> (8 - this.#literalContext));
    const table = LITERAL + 0x300 * place;
    let symbol = 1;
    const state = this.#state;
    if (state >= 7) {
      let match = history.back(this.#distances[0]! + 1);
      do {
        const expected = (match >> 7) & 1;
        match <<= 1;
        const bit = this.#bit(input, table + ((1 + expected) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (expected !== bit) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(input, table + symbol);
    history.put(symbol & 0xff);
    this.#state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  }

  /** Bits of a tree, the highest first. */
  #tree(input: LzmaInput, table: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.#bit(input, table + symbol);
    return symbol - (1 << bits);
  }

  /** Bits of a tree, the lowest first. */
  #reverseTree(input: LzmaInput, table: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(input, table + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  /** A length less two. */
  #length(input: LzmaInput, table: number, position: number): number {
    if (this.#bit(input, table) === 0) return this.#tree(input, table + 2 + (position << 3), 3);
    if (this.#bit(input, table + 1) === 0)
      return 8 + this.#tree(input, table + 2 + 8 * POSITIONS + (position << 3), 3);
    return 16 + this.#tree(input, table + 2 + 16 * POSITIONS, 8);
  }

  /** A distance less one. */
  #distance(input: LzmaInput, length: number): number {
    const slot = this.#tree(input, SLOT + (Math.min(length, 3) << 6), 6);
    if (slot < 4) return slot;
    const direct = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) << direct;
    if (slot < 14) return high + this.#reverseTree(input, SPECIAL + high - slot, direct);
    let value = 0;
    const range = this.#range;
    for (let i = 0; i < direct - 4; i++) {
      range[0] = range[0]! >>> 1;
      const bit = range[1]! >= range[0]! ? 1 : 0;
      if (bit === 1) range[1]! -= range[0]!;
      value = (value << 1) | bit;
      if (range[0]! < 0x1000000) this.#shift(input);
    }
    return ((high + (value << 4)) | this.#reverseTree(input, ALIGN, 4)) >>> 0;
  }
}
