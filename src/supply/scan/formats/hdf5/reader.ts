import { GlacisError } from '../../../../core/error.ts';
import type { ByteSource } from '../../../../data/byte-source.ts';
import type { Budget } from '../../limits.ts';

/** Reads an HDF5 file by address. Everything it gives is attacker-controlled. */
export interface Hdf5Reader {
  /** Address of the root group's object header. */
  readonly root: number;
  /** Bytes of an address and of a length in this file. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** `length` bytes at an address. Errors: `data/unreadable` past the end. */
  at(address: number, length: number): Promise<Cursor>;
  /** A cursor over bytes that another gave. */
  within(bytes: Uint8Array): Cursor;
}

/** Reads numbers one after the other out of some bytes. Errors of all: `data/unreadable` past the end. */
export interface Cursor {
  readonly left: number;
  u8(): number;
  u16(): number;
  u32(): number;
  /** An unsigned number of 1 to 8 bytes; rounded past 2^53. */
  number(bytes: number): number;
  /** An address; `undefined` for the one that means none. */
  address(): number | undefined;
  /** A length, as wide as the file has them. */
  length(): number;
  bytes(length: number): Uint8Array;
  /** A text up to its zero byte, or to the end. */
  text(): string;
  /** Passes over bytes up to the next multiple of 8 from the start. */
  align(): void;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Where the superblock begins: at 0, 512, 1024, 2048 and so on, because users may put a block of their own first, of any size and with
 * any content. `undefined` where there is none.
 */
export async function superblockAt(source: ByteSource): Promise<number | undefined> {
  for (let start = 0; start + SIGNATURE.length <= source.size; start = start === 0 ? 512 : 2 * start) {
    const bytes = await source.read(start, SIGNATURE.length);
    if (SIGNATURE.every((byte, i) => bytes[i] === byte)) return start;
  }
  return undefined;
}

/**
 * Opens an HDF5 file. Source: HDF5 File Format Specification 3.0, section II.
 * Errors: `data/unreadable` for a version or a size of addresses that does not exist.
 */
export async function openHdf5(source: ByteSource, where: string, budget: Budget): Promise<Hdf5Reader> {
  const fail = (reason: string) =>
    new GlacisError('data/unreadable', `${where}: expected an HDF5 file, got ${reason}`);
  const start = await superblockAt(source);
  if (start === undefined) throw fail('no superblock');
  const head = await source.read(start, Math.min(128, source.size - start));
  const version = head[8]!;
  if (version > 3) throw fail(`version ${version}`);
  const sizes = version < 2 ? 13 : 9;
  const [offsetBytes, lengthBytes] = [head[sizes]!, head[sizes + 1]!];
  if (![2, 4, 8].includes(offsetBytes) || ![2, 4, 8].includes(lengthBytes))
    throw fail(`addresses of ${offsetBytes} bytes and lengths of ${lengthBytes}`);
  const cursor = (bytes: Uint8Array) => cursorOf(bytes, offsetBytes, lengthBytes, fail);
  let base = 0;
  const at = async (address: number, length: number): Promise<Cursor> => {
    budget.step();
    if (!(base + address + length <= source.size))
      throw fail(`${length} bytes at address ${address}, past the end`);
    return cursor(await source.read(base + address, length));
  };
  const superblock = cursor(head.subarray(version === 0 ? 24 : version === 1 ? 28 : 12));
  base = superblock.address() ?? 0;
  if (version < 2) superblock.bytes(4 * offsetBytes);
  else superblock.bytes(2 * offsetBytes);
  const root = superblock.address();
  if (root === undefined) throw fail('no root group');
  return { root, offsetBytes, lengthBytes, at, within: cursor };
}

function cursorOf(
  bytes: Uint8Array,
  offsetBytes: number,
  lengthBytes: number,
  fail: (reason: string) => GlacisError,
): Cursor {
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (!(length <= bytes.length - at))
      throw fail(`${length} bytes announced where ${bytes.length - at} are left`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  const number = (length: number): number => {
    let value = 0;
    for (const [i, byte] of take(length).entries()) value += byte * 2 ** (8 * i);
    return value;
  };
  return {
    get left() {
      return bytes.length - at;
    },
    u8: () => number(1),
    u16: () => number(2),
    u32: () => number(4),
    number,
    address() {
      const none = bytes.subarray(at, at + offsetBytes).every((byte) => byte === 0xff);
      const value = number(offsetBytes);
      return none ? undefined : value;
    },
    length: () => number(lengthBytes),
    bytes: take,
    text() {
      const end = bytes.indexOf(0, at);
      const text = Buffer.from(bytes.subarray(at, end === -1 ? bytes.length : end)).toString();
      at = end === -1 ? bytes.length : end + 1;
      return text;
    },
    align() {
      at = Math.min(bytes.length, Math.ceil(at / 8) * 8);
    },
  };
}
