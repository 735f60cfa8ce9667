import { GlacisError } from '../../../core/error.ts';
import type { ByteSource } from '../../../data/byte-source.ts';

const CHUNK = 1 << 20;

/** Reads little-endian values one after the other, with few reads of the source. Everything read is attacker-controlled. */
export interface ByteCursor {
  /** Byte of the source that is read next. */
  readonly at: number;
  /** `length` bytes as a view that the next call may not change. Errors: `data/unreadable`. */
  bytes(length: number): Promise<Uint8Array>;
  u32(): Promise<number>;
  /** An unsigned 64-bit number. Errors: `data/unreadable` past 2^53, which no size or count is. */
  u64(): Promise<number>;
  /** Passes over `length` bytes, which must be there. Errors: `data/unreadable`. */
  skip(length: number): void;
}

/** A cursor at the start of `source`. `longest` bounds what one call of `bytes` gives. */
export function byteCursor(source: ByteSource, where: string, longest: number): ByteCursor {
  let at = 0;
  let held = new Uint8Array(0);
  let heldAt = 0;
  const fail = (reason: string) => new GlacisError('data/unreadable', `${where}: byte ${at}: ${reason}`);
  const bytes = async (length: number): Promise<Uint8Array> => {
    if (length > source.size - at) throw fail(`${length} bytes announced where ${source.size - at} are left`);
    if (length > longest) throw fail(`${length} bytes in one piece; expected at most ${longest}`);
    if (at < heldAt || at + length > heldAt + held.length) {
      heldAt = at;
      held = (await source.read(
        at,
        Math.min(source.size - at, Math.max(CHUNK, length)),
      )) as Uint8Array<ArrayBuffer>;
    }
    const view = held.subarray(at - heldAt, at - heldAt + length);
    at += length;
    return view;
  };
  const view = async (length: number) => {
    const { buffer, byteOffset } = await bytes(length);
    return new DataView(buffer, byteOffset, length);
  };
  return {
    get at() {
      return at;
    },
    bytes,
    u32: async () => (await view(4)).getUint32(0, true),
    async u64() {
      const value = Number((await view(8)).getBigUint64(0, true));
      if (!Number.isSafeInteger(value)) throw fail(`a size of ${value}`);
      return value;
    },
    skip(length) {
      if (length > source.size - at)
        throw fail(`${length} bytes announced where ${source.size - at} are left`);
      at += length;
    },
  };
}
