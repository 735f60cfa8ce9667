import { GlacisError } from '../../../core/error.ts';
import type { ByteSource } from '../../../data/byte-source.ts';
import type { Budget } from '../limits.ts';

/** One of the two headers of a member. Every field is attacker-controlled. */
export interface ZipHeader {
  readonly name: string;
  /** The name as it lies there, for comparison. */
  readonly rawName: string;
  readonly flags: number;
  /** 0 is stored, 8 is deflate. */
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
}

/** A member: what the directory says, what its own header says, and where its bytes lie. */
export interface ZipEntry {
  readonly central: ZipHeader;
  /** `undefined` where there is no header at the place that the directory names. */
  readonly local: ZipHeader | undefined;
  /** Byte of its own header. */
  readonly start: number;
  /** Byte of its content. */
  readonly contentStart: number;
  /** Byte behind its content. */
  readonly end: number;
  /** A second name, which Info-ZIP's readers take instead. */
  readonly otherName: string | undefined;
  /** The upper half of the external attributes where the archive was made on Unix: the file's mode. */
  readonly mode: number;
}

/** A zip archive as its directory lists it. */
export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** Byte of the directory. */
  readonly start: number;
  /** Byte behind the last record. */
  readonly end: number;
  /** Bytes in front of the archive by which all places are moved. */
  readonly shift: number;
  /** End records that other readers might take instead. */
  readonly otherEnds: number;
}

const END_MARK = Buffer.of(0x50, 0x4b, 5, 6);
/** Bytes of an end record without its comment. */
const END_SIZE = 22;
const MAX_COMMENT = 0xffff;
/** Bytes that hold a member's header with its name, unless these are long. */
const USUAL_HEADER = 512;
const WIDE = 0xffffffff;

/** Byte of the end record in the tail of a content; -1 where there is none. */
export function findEnd(tail: Uint8Array): number {
  if (tail.length < END_SIZE) return -1;
  return bufferOf(tail).lastIndexOf(END_MARK, tail.length - END_SIZE);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Reads directory and local headers of a zip archive, with what readers disagree on kept apart. Places are found as Python's
 * zipfile finds them: from the end, with bytes in front allowed.
 * Errors: `data/unreadable`, `scan/limit`. Source: PKWARE APPNOTE.TXT 6.3.10; CPython's Lib/zipfile.
 */
export async function readZip(source: ByteSource, budget: Budget, where: string): Promise<ZipDirectory> {
  const fail = (what: string) =>
    new GlacisError('data/unreadable', `${where}: expected a zip archive, got ${what}`);
  const tailSize = Math.min(source.size, 22 + MAX_COMMENT);
  const tailStart = source.size - tailSize;
  const tail = await source.read(tailStart, tailSize);
  const at = findEnd(tail);
  if (at < 0) throw fail('no directory at its end');
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  let [count, size, offset] = [
    view.getUint16(at + 10, true),
    view.getUint32(at + 12, true),
    view.getUint32(at + 16, true),
  ];
  const end = Math.min(source.size, tailStart + at + 22 + view.getUint16(at + 20, true));
  let directoryEnd = tailStart + at;
  let otherEnds = countEnds(tail.subarray(0, at + 22), at, view);
  const wide = directoryEnd >= 76 ? await readWideEnd(source, directoryEnd - 20, fail) : undefined;
  if (wide) {
    // Readers that need no 64 bits use the narrow fields, so these have to say the same or that they do not.
    const narrow = [
      [count, 0xffff],
      [size, WIDE],
      [offset, WIDE],
    ] as const;
    if (narrow.some(([value, none], i) => value !== none && value !== wide[i])) otherEnds++;
    [count, size, offset, directoryEnd] = wide;
  }
  const start = directoryEnd - size;
  const shift = start - offset;
  if (start < 0 || shift < 0) throw fail('a directory of impossible size');
  if (size > budget.limits.readBytes)
    throw new GlacisError('scan/limit', `${where}: a directory of ${size} bytes`);
  const bytes = await source.read(start, size);
  const entries: ZipEntry[] = [];
  for (let place = 0; place + 46 <= size; ) {
    budget.step();
    const parsed = parseCentral(bytes, place);
    if (parsed === undefined) throw fail('a damaged directory');
    place = parsed.next;
    entries.push(await withLocal(source, parsed, shift));
  }
  if (entries.length !== count) throw fail(`${entries.length} members where ${count} are declared`);
  return { entries, start, end, shift, otherEnds };
}

/**
 * Members of an archive that lacks its directory, as readers of streams find them: header by header from the beginning, as long
 * as the headers give the sizes.
 */
export async function readLocalHeaders(source: ByteSource, budget: Budget): Promise<readonly ZipEntry[]> {
  const entries: ZipEntry[] = [];
  for (let at = 0; at < source.size; ) {
    budget.step(16);
    const nowhere: ZipHeader = { name: '', rawName: '', flags: 0, method: 0, crc: 0, packedSize: 0, size: 0 };
    const found = await withLocal(
      source,
      { header: nowhere, otherName: undefined, offset: at, mode: 0, next: 0 },
      0,
    );
    if (found.local === undefined) break;
    const end = found.contentStart + found.local.packedSize;
    entries.push({ ...found, central: found.local, end });
    at = end;
  }
  return entries;
}

async function readWideEnd(source: ByteSource, locator: number, fail: (what: string) => Error) {
  const found = new DataView(copy(await source.read(locator, 20)));
  if (found.getUint32(0, true) !== 0x07064b50) return undefined;
  // As zipfile does it, the record is looked for in front of its locator, whatever the locator says.
  const at = locator - 56;
  if (at < 0) throw fail('no 64-bit directory');
  const record = new DataView(copy(await source.read(at, 56)));
  if (record.getUint32(0, true) !== 0x06064b50) throw fail('no 64-bit directory where it should be');
  return [
    Number(record.getBigUint64(32, true)),
    Number(record.getBigUint64(40, true)),
    Number(record.getBigUint64(48, true)),
    at,
  ] as const;
}

interface Central {
  readonly header: ZipHeader;
  readonly otherName: string | undefined;
  readonly offset: number;
  readonly mode: number;
  readonly next: number;
}

function parseCentral(bytes: Uint8Array, at: number): Central | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(at, true) !== 0x02014b50) return undefined;
  const nameSize = view.getUint16(at + 28, true);
  const extraSize = view.getUint16(at + 30, true);
  const next = at + 46 + nameSize + extraSize + view.getUint16(at + 32, true);
  if (next > bytes.length) return undefined;
  const extraAt = at + 46 + nameSize;
  const wide = wideNumbers(view, extraAt, extraSize);
  const widened = (narrow: number) => (narrow === WIDE ? (wide.shift() ?? narrow) : narrow);
  const size = widened(view.getUint32(at + 24, true));
  const packedSize = widened(view.getUint32(at + 20, true));
  const offset = widened(view.getUint32(at + 42, true));
  const madeOnUnix = view.getUint8(at + 5) === 3;
  return {
    header: {
      ...named(bytes.subarray(at + 46, extraAt)),
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedSize,
      size,
    },
    otherName: unicodeName(bytes.subarray(extraAt, extraAt + extraSize)),
    offset,
    mode: madeOnUnix ? view.getUint16(at + 40, true) : 0,
    next,
  };
}

async function withLocal(
  source: ByteSource,
  { header, otherName, offset, mode }: Central,
  shift: number,
): Promise<ZipEntry> {
  const start = offset + shift;
  const none = { central: header, local: undefined, start, contentStart: start, end: start, otherName, mode };
  if (!Number.isSafeInteger(start) || start + 30 > source.size) return none;
  const left = source.size - start;
  const begin = await source.read(start, Math.min(left, USUAL_HEADER));
  const sizes = new DataView(begin.buffer, begin.byteOffset, begin.length);
  if (sizes.getUint32(0, true) !== 0x04034b50) return none;
  const nameSize = sizes.getUint16(26, true);
  const extraSize = sizes.getUint16(28, true);
  if (30 + nameSize > left) return none;
  const length = Math.min(left, 30 + nameSize + extraSize);
  const head = length <= begin.length ? begin : await source.read(start, length);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const wide = wideNumbers(view, 30 + nameSize, Math.min(extraSize, head.length - 30 - nameSize));
  const widened = (narrow: number) => (narrow === WIDE ? (wide.shift() ?? narrow) : narrow);
  const size = widened(view.getUint32(22, true));
  const packedSize = widened(view.getUint32(18, true));
  const contentStart = start + 30 + nameSize + extraSize;
  return {
    central: header,
    local: {
      ...named(head.subarray(30, 30 + nameSize)),
      flags: view.getUint16(6, true),
      method: view.getUint16(8, true),
      crc: view.getUint32(14, true),
      packedSize,
      size,
    },
    start,
    contentStart,
    end: contentStart + header.packedSize,
    otherName,
    mode,
  };
}

function named(raw: Uint8Array): Pick<ZipHeader, 'name' | 'rawName'> {
  return { name: new TextDecoder().decode(raw), rawName: Buffer.from(raw).toString('latin1') };
}

/** The name in the extra field 0x7075: a version, a checksum of the other name, UTF-8. APPNOTE 4.6.9. */
function unicodeName(extra: Uint8Array): string | undefined {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.length);
  for (let at = 0; at + 4 <= extra.length; ) {
    const size = view.getUint16(at + 2, true);
    if (at + 4 + size > extra.length) break;
    if (view.getUint16(at, true) === 0x7075 && size >= 5)
      return new TextDecoder().decode(extra.subarray(at + 9, at + 4 + size));
    at += 4 + size;
  }
  return undefined;
}

/** The numbers of the 64-bit extra field, in their fixed order. */
function wideNumbers(view: DataView, start: number, length: number): number[] {
  const end = Math.min(view.byteLength, start + length);
  for (let at = start; at + 4 <= end; ) {
    const size = view.getUint16(at + 2, true);
    if (at + 4 + size > end) break;
    if (view.getUint16(at, true) === 1) {
      const numbers: number[] = [];
      for (let field = at + 4; field + 8 <= at + 4 + size; field += 8)
        numbers.push(Number(view.getBigUint64(field, true)));
      return numbers;
    }
    at += 4 + size;
  }
  return [];
}

/** End records in the comment behind the one at `at`, and behind its end. */
function countEnds(head: Uint8Array, at: number, view: DataView): number {
  let others = 0;
  // The search took the last record; an earlier one whose comment covers this one is what other readers take.
  const bytes = bufferOf(head);
  for (
    let i = bytes.indexOf(END_MARK);
    i >= 0 && i < at && i + END_SIZE <= head.length;
    i = bytes.indexOf(END_MARK, i + 1)
  )
    if (i + END_SIZE + view.getUint16(i + 20, true) === view.byteLength) others++;
  return others;
}

function copy(bytes: Uint8Array): ArrayBuffer {
  // Not `bytes.slice()`: that of a Buffer gives a view of a larger pool.
  return Uint8Array.from(bytes).buffer;
}
