import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { GlacisError } from '../../../core/error.ts';

/** Bytes of a key. */
export const KEY_BYTES = 32;

/** What random bytes are for; each purpose has bytes of its own in each step. */
export type Purpose = 'sampling' | 'noise' | 'count' | 'feed';

const PURPOSES: readonly Purpose[] = ['sampling', 'noise', 'count', 'feed'];

/** Most bytes of one purpose in one step: AES-CTR's last 32 bits count blocks, and no two streams may meet. */
const MOST_BYTES = 2 ** 36;

/**
 * Random bytes of a private run: AES-256 in counter mode (NIST SP 800-38A) under one secret key. The counter's first 12 bytes are the
 * purpose and the step's number, so that bytes depend on key, purpose and step only, and a resumed run draws the same again.
 */
export interface KeyStream {
  /** Reads the bytes of a purpose in a step (from 0), from their beginning; each call gives the next `length`. */
  reader(purpose: Purpose, step: number): (length: number) => Uint8Array<ArrayBuffer>;
  /** A copy of the key, to be kept where only the owner reads it. */
  key(): Uint8Array;
  /** Overwrites the key. Afterwards nothing more can be drawn. */
  erase(): void;
}

/** The stream of `key`, 32 bytes, which are copied. Errors: `run/failed` where it is used after it was erased. */
export function keyStream(key: Uint8Array): KeyStream {
  const own = Buffer.from(key);
  let isErased = own.length !== KEY_BYTES;
  const check = () => {
    if (isErased) throw new GlacisError('run/failed', 'private training: expected a key, got an erased one');
  };
  return {
    reader(purpose, step) {
      check();
      if (!(Number.isSafeInteger(step) && step >= 0))
        throw new GlacisError('run/failed', `private training: expected a step from 0, got ${step}`);
      const counter = Buffer.alloc(16);
      counter.writeUInt32BE(PURPOSES.indexOf(purpose), 0);
      counter.writeBigUInt64BE(BigInt(step), 4);
      const cipher = createCipheriv('aes-256-ctr', own, counter);
      let zeros = new Uint8Array();
      let left = MOST_BYTES;
      return (length) => {
        check();
        left -= length;
        if (left < 0)
          throw new GlacisError(
            'run/failed',
            `private training: expected at most ${MOST_BYTES} bytes a step`,
          );
        if (zeros.length < length) zeros = new Uint8Array(length);
        const out = cipher.update(zeros.subarray(0, length));
        // Numbers are read in eights: the cipher's buffer may lie anywhere in a larger one.
        return out.byteOffset % 8 === 0
          ? new Uint8Array(out.buffer as ArrayBuffer, out.byteOffset, length)
          : Uint8Array.from(out);
      };
    },
    key() {
      check();
      return Uint8Array.from(own);
    },
    erase() {
      own.fill(0);
      isErased = true;
    },
  };
}

/** A key that nobody knows, from the operating system. */
export function freshKey(): Uint8Array {
  return randomBytes(KEY_BYTES);
}

/** A key that everybody can make again: for tests only, since noise that can be made again protects nobody. */
export function keyOfTestSeed(seed: number): Uint8Array {
  return createHash('sha256').update(`glacis private training, test seed ${seed}`).digest();
}
