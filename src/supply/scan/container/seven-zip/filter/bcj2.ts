import { ByteReader } from './byte-reader.ts';

const PIECE = 1 << 16;
const TOP = 2 ** 24;

/**
 * Undoes 7-Zip's filter BCJ2 for x86: code without its targets, targets of CALL and of JMP in streams of their own, and a stream of coded bits
 * that say which opcodes gave theirs away. Gives `size` bytes. Errors: `data/unreadable` where a stream ends too early.
 * Source: `Bcj2_Decode` of the LZMA SDK 9.20 (Bcj2.c).
 */
export async function* bcj2(
  streams: readonly AsyncIterable<Uint8Array>[],
  size: number,
  where: string,
): AsyncGenerator<Uint8Array> {
  const readers = streams.map((stream) => new ByteReader(stream, where));
  const [code, calls, jumps, coded] = readers as [ByteReader, ByteReader, ByteReader, ByteReader];
  const bits = new Bits(coded);
  let piece = new Uint8Array(PIECE);
  let [at, done, previous] = [0, 0, 0];
  const put = (byte: number) => {
    piece[at++] = byte;
    done++;
    previous = byte;
  };
  const fill = async () => {
    while (done < size && at + 5 <= PIECE) {
      const before = previous;
      if (code.left === 0) await code.fill();
      const byte = code.next();
      put(byte);
      if (!isBranch(before, byte) || done === size) continue;
      if (!(await bits.next(byte === 0xe8 ? before : byte === 0xe9 ? 256 : 257))) continue;
      const from = byte === 0xe8 ? calls : jumps;
      let target = 0;
      for (let i = 0; i < 4; i++) {
        if (from.left === 0) await from.fill();
        target = (target << 8) | from.next();
      }
      const offset = target - (done + 4);
      for (let shift = 0; shift < 32 && done < size; shift += 8) put((offset >>> shift) & 255);
    }
  };
  try {
    await bits.begin();
    while (done < size) {
      try {
        await fill();
      } catch (thrown) {
        // What came out before the damage is what a loader that reads as a stream has run by then.
        yield piece.subarray(0, at);
        throw thrown;
      }
      yield piece.subarray(0, at);
      [piece, at] = [new Uint8Array(PIECE), 0];
    }
  } finally {
    for (const reader of readers) await reader.close();
  }
}

/** CALL, JMP, and conditional jumps of two bytes. */
function isBranch(before: number, byte: number): boolean {
  return (byte & 0xfe) === 0xe8 || (before === 0x0f && (byte & 0xf0) === 0x80);
}

/** Bits behind a range coder, each with a probability of its own. */
class Bits {
  readonly #from: ByteReader;
  readonly #probabilities = new Uint16Array(258).fill(1024);
  #range = 0xffffffff;
  #code = 0;

  constructor(from: ByteReader) {
    this.#from = from;
  }

  async begin(): Promise<void> {
    for (let i = 0; i < 5; i++) await this.#shift();
  }

  async next(which: number): Promise<boolean> {
    if (this.#range < TOP) {
      this.#range = (this.#range << 8) >>> 0;
      await this.#shift();
    }
    const probability = this.#probabilities[which]!;
    const bound = (this.#range >>> 11) * probability;
    if (this.#code < bound) {
      this.#range = bound;
      this.#probabilities[which] = probability + ((2048 - probability) >> 5);
      return false;
    }
    this.#range -= bound;
    this.#code -= bound;
    this.#probabilities[which] = probability - (probability >> 5);
    return true;
  }

  async #shift(): Promise<void> {
    if (this.#from.left === 0) await this.#from.fill();
    this.#code = ((this.#code << 8) | this.#from.next()) >>> 0;
  }
}
