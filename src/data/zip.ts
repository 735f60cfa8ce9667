import { crc32 } from 'node:zlib';
import { GlacisError } from '../core/error.ts';
import { type ByteSource, chunksOf, memorySource, rangeSource } from './byte-source.ts';
import { inflate } from './inflate.ts';

/** One member of a zip archive, as its central directory declares it. Every field is attacker-controlled. */
export interface ZipMember {
  readonly name: string;
  /** 0 is stored, 8 is deflate. */
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Byte of its local header. */
  readonly offset: number;
}

const MAX_MEMBERS = 65536;
const MAX_DIRECTORY = 1 << 24;
const WIDE = 0xffffffff;

/**
 * Reads a zip archive's central directory, zip64 included.
 * Errors: `data/unreadable` (no zip, damaged, two members of one name, more than 65,536 members).
 * Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.
 */
export async function readZipDirectory(source: ByteSource, where: string): Promise<readonly ZipMember[]> {
  const fail = (reason: string) =>
    new GlacisError('data/unreadable', `${where}: expected a zip archive, got ${reason}`);
  const { count, size, offset } = await findDirectory(source, fail);
  if (count > MAX_MEMBERS || size > MAX_DIRECTORY)
    throw fail(`a directory of ${count} members and ${size} bytes`);
  const bytes = await source.read(offset, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const members: ZipMember[] = [];
  const names = new Set<string>();
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== 0x02014b50) throw fail('a damaged directory');
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const end = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (end > size) throw fail('a damaged directory');
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (names.has(name)) throw fail('two members of the same name');
    names.add(name);
    const wide = wideFields(view, at + 46 + nameLength, extraLength);
    const next = (narrow: number) => (narrow === WIDE ? (wide.shift() ?? Number.NaN) : narrow);
    const uncompressed = next(view.getUint32(at + 24, true));
    const compressedSize = next(view.getUint32(at + 20, true));
    const local = next(view.getUint32(at + 42, true));
    if (![uncompressed, compressedSize, local].every(Number.isSafeInteger))
      throw fail('sizes that cannot be addressed');
    members.push({
      name,
      method: view.getUint16(at + 10, true),
      encrypted: (view.getUint16(at + 8, true) & 1) === 1,
      crc: view.getUint32(at + 16, true),
      compressedSize,
      size: uncompressed,
      offset: local,
    });
    at = end;
  }
  return members;
}

interface Directory {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
}

async function findDirectory(source: ByteSource, fail: (reason: string) => GlacisError): Promise<Directory> {
  const tailSize = Math.min(source.size, 22 + 65535);
  const tailStart = source.size - tailSize;
  const tail = await source.read(tailStart, tailSize);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  let at = tailSize - 22;
  while (at >= 0 && view.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) throw fail('no directory at its end (is it cut short?)');
  const narrow = {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
  const needsWide = narrow.count === 0xffff || narrow.size === WIDE || narrow.offset === WIDE;
  if (!needsWide) return narrow;
  if (at < 20 || view.getUint32(at - 20, true) !== 0x07064b50) throw fail('no zip64 directory');
  const recordAt = Number(view.getBigUint64(at - 12, true));
  if (!Number.isSafeInteger(recordAt) || recordAt + 56 > source.size) throw fail('a damaged zip64 directory');
  const record = await source.read(recordAt, 56);
  const wide = new DataView(record.buffer, record.byteOffset, record.length);
  if (wide.getUint32(0, true) !== 0x06064b50) throw fail('a damaged zip64 directory');
  const [count, size, offset] = [32, 40, 48].map((field) => Number(wide.getBigUint64(field, true))) as [
    number,
    number,
    number,
  ];
  return { count, size, offset };
}

/** The 64-bit numbers of the zip64 extra field (id 1), in their fixed order. */
function wideFields(view: DataView, start: number, length: number): number[] {
  for (let at = start; at + 4 <= start + length; ) {
    const size = view.getUint16(at + 2, true);
    if (at + 4 + size > start + length) break;
    if (view.getUint16(at, true) === 1) {
      const fields: number[] = [];
      for (let field = at + 4; field + 8 <= at + 4 + size; field += 8)
        fields.push(Number(view.getBigUint64(field, true)));
      return fields;
    }
    at += 4 + size;
  }
  return [];
}

/**
 * The content of one member, checked against its CRC-32: a stored member is read where it lies, a deflated one is
 * inflated into memory, up to `maxBytes`.
 * Errors: `data/unreadable` (damaged, encrypted, another method), `data/too-large`, `run/cancelled`.
 */
export async function openZipMember(
  source: ByteSource,
  member: ZipMember,
  where: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<ByteSource> {
  if (member.encrypted || (member.method !== 0 && member.method !== 8)) {
    const got = member.encrypted ? 'an encrypted one' : `method ${member.method}`;
    throw new GlacisError('data/unreadable', `${where}: expected a stored or deflated member, got ${got}`);
  }
  const local = await source.read(member.offset, 30);
  const view = new DataView(local.buffer, local.byteOffset, local.length);
  if (view.getUint32(0, true) !== 0x04034b50)
    throw new GlacisError('data/unreadable', `${where}: expected a member's header`);
  const start = member.offset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  const packed = rangeSource(source, start, member.compressedSize, where);
  let content = packed;
  if (member.method === 8) {
    const limits = { format: 'raw', maxBytes, declaredSize: () => member.size, headBytes: 0 } as const;
    content = memorySource(await inflate(packed, limits, where, signal), where);
  } else if (member.size !== member.compressedSize) {
    throw new GlacisError('data/unreadable', `${where}: a stored member declares two different sizes`);
  }
  let crc = 0;
  for await (const chunk of chunksOf(content, signal)) crc = crc32(chunk, crc);
  if (crc !== member.crc)
    throw new GlacisError('data/unreadable', `${where}: the content does not match its CRC-32 (damaged?)`);
  return content;
}
