import { crc32, deflateRawSync } from 'node:zlib';

/** A member of a {@link zip}; whatever is left out is what an honest writer would write. */
export interface FixtureMember {
  readonly name: string;
  readonly content?: Uint8Array | string;
  readonly deflate?: boolean;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  /** Size that both headers declare. */
  readonly size?: number;
  /** Packed size that both headers declare. */
  readonly packedSize?: number;
  /** Listed some bytes behind its header. */
  readonly lost?: boolean;
  /** Unix mode, e.g. 0xa1ff for a symbolic link. */
  readonly mode?: number;
  /** What the member's own header says instead. */
  readonly local?: Partial<Pick<FixtureMember, 'name' | 'flags' | 'method' | 'crc' | 'size'>>;
  /** A second name, in Info-ZIP's extra field of the directory. */
  readonly unicodeName?: string;
  /** Not in the directory. */
  readonly hidden?: boolean;
  /** Listed with the place of the member before it. */
  readonly samePlace?: boolean;
}

/**
 * Writes a zip archive byte by byte, lies included. `wide` adds the 64-bit end record: `same` beside honest 32-bit fields, `needed`
 * with those filled up, `lies` with another number of members in them.
 */
export function zip(
  members: readonly FixtureMember[],
  prefix: Uint8Array = new Uint8Array(0),
  comment: Uint8Array = new Uint8Array(0),
  wide?: 'same' | 'needed' | 'lies',
): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  let before = 0;
  for (const member of members) {
    const content = Buffer.from((member.content as Uint8Array) ?? '');
    const packed = member.deflate ? deflateRawSync(content) : content;
    const honest = {
      name: member.name,
      flags: member.flags ?? 0,
      method: member.method ?? (member.deflate ? 8 : 0),
      crc: member.crc ?? crc32(content),
      size: member.size ?? content.length,
    };
    const place = (member.samePlace ? before : at) + (member.lost ? 3 : 0);
    const declared = member.packedSize ?? packed.length;
    if (!member.samePlace) {
      const local = header({ ...honest, ...member.local }, declared);
      parts.push(local, packed);
      before = at;
      at += local.length + packed.length;
    }
    if (!member.hidden) directory.push(central(honest, declared, place, member));
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(comment.length, 20);
  const wideEnd = Buffer.alloc(wide === undefined ? 0 : 76);
  if (wide !== undefined) {
    wideEnd.writeUInt32LE(0x06064b50, 0);
    wideEnd.writeBigUInt64LE(44n, 4);
    for (const field of [24, 32]) wideEnd.writeBigUInt64LE(BigInt(directory.length), field);
    wideEnd.writeBigUInt64LE(BigInt(entries.length), 40);
    wideEnd.writeBigUInt64LE(BigInt(at), 48);
    wideEnd.writeUInt32LE(0x07064b50, 56);
    wideEnd.writeBigUInt64LE(BigInt(at + entries.length), 64);
    if (wide === 'needed') end.fill(0xff, 8, 20);
    if (wide === 'lies') end.writeUInt16LE(directory.length + 1, 10);
  }
  return new Uint8Array(Buffer.concat([prefix, ...parts, entries, wideEnd, end, comment]));
}

type Fields = Required<Pick<FixtureMember, 'name' | 'flags' | 'method' | 'crc' | 'size'>>;

function header({ name, flags, method, crc, size }: Fields, packed: number): Buffer {
  const raw = Buffer.from(name);
  const out = Buffer.alloc(30);
  out.writeUInt32LE(0x04034b50, 0);
  out.writeUInt16LE(flags, 6);
  out.writeUInt16LE(method, 8);
  out.writeUInt32LE(crc, 14);
  out.writeUInt32LE(packed, 18);
  out.writeUInt32LE(size, 22);
  out.writeUInt16LE(raw.length, 26);
  return Buffer.concat([out, raw]);
}

function central(
  { name, flags, method, crc, size }: Fields,
  packed: number,
  place: number,
  { mode = 0, unicodeName }: FixtureMember,
): Buffer {
  const raw = Buffer.from(name);
  const extra = Buffer.alloc(unicodeName === undefined ? 0 : 9 + unicodeName.length);
  if (unicodeName !== undefined) {
    extra.writeUInt16LE(0x7075, 0);
    extra.writeUInt16LE(5 + unicodeName.length, 2);
    extra.writeUInt8(1, 4);
    extra.writeUInt32LE(crc32(raw), 5);
    extra.write(unicodeName, 9);
  }
  const out = Buffer.alloc(46);
  out.writeUInt32LE(0x02014b50, 0);
  out.writeUInt8(3, 5);
  out.writeUInt16LE(flags, 8);
  out.writeUInt16LE(method, 10);
  out.writeUInt32LE(crc, 16);
  out.writeUInt32LE(packed, 20);
  out.writeUInt32LE(size, 24);
  out.writeUInt16LE(raw.length, 28);
  out.writeUInt16LE(extra.length, 30);
  out.writeUInt16LE(mode, 40);
  out.writeUInt32LE(place, 42);
  return Buffer.concat([out, raw, extra]);
}
