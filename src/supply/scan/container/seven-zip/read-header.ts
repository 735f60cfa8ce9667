import type { ScanLimits } from '../../limits.ts';
import { HeaderBytes } from './header-bytes.ts';
import { type Plan, readPlan } from './read-plan.ts';

/** Streams that are packed as one. */
export interface Folder {
  /** What unpacks it. */
  readonly plan: Plan;
  /** Bytes of its packed streams in the archive. */
  readonly start: number;
  readonly packedSize: number;
  readonly packed: readonly { readonly start: number; readonly size: number }[];
  readonly size: number;
  readonly crc: number | undefined;
  /** The contents that lie in it one after another. */
  readonly contents: readonly { readonly size: number; readonly crc: number | undefined }[];
}

/** What an archive lists. Everything is attacker-controlled. */
export interface ListedFile {
  readonly name: string;
  readonly folder: boolean;
  /** Takes a file of that name away when it is unpacked. */
  readonly anti: boolean;
  /** Mode of the file where it was packed on Unix. */
  readonly mode: number;
  /** Which content of which folder; `undefined` where there is none. */
  readonly content:
    | { readonly of: number; readonly start: number; readonly size: number; readonly crc: number | undefined }
    | undefined;
}

// Ids of properties, as 7zFormat.txt of the LZMA SDK has them.
const ID = {
  end: 0x00,
  header: 0x01,
  archiveProperties: 0x02,
  additionalStreams: 0x03,
  mainStreams: 0x04,
  files: 0x05,
  packInfo: 0x06,
  unpackInfo: 0x07,
  substreams: 0x08,
  size: 0x09,
  crc: 0x0a,
  folder: 0x0b,
  unpackSize: 0x0c,
  streamCount: 0x0d,
  emptyStream: 0x0e,
  emptyFile: 0x0f,
  anti: 0x10,
  names: 0x11,
  attributes: 0x15,
  encoded: 0x17,
} as const;

/** Bytes of the header in front. */
export const SIGNATURE_HEADER = 32;

/** Header of the archive, or of the packed header inside it. */
export type Header =
  | { readonly kind: 'files'; readonly folders: readonly Folder[]; readonly files: readonly ListedFile[] }
  | { readonly kind: 'packed'; readonly folders: readonly Folder[] };

/**
 * Reads a 7z header from memory. Nothing is allocated for a count that the header has no bytes for.
 * Errors: `data/unreadable`, `scan/limit`. Source: 7zFormat.txt of the LZMA SDK 24.
 */
export function readHeader(bytes: Uint8Array, limits: Pick<ScanLimits, 'entries'>, where: string): Header {
  const from = new HeaderBytes(bytes, where);
  const kind = from.byte();
  if (kind === ID.encoded) return { kind: 'packed', folders: readStreams(from, limits) };
  if (kind !== ID.header) throw from.fail(`0x${kind.toString(16)} as its first byte`);
  let folders: readonly Folder[] = [];
  let files: readonly ListedFile[] = [];
  for (let id = from.byte(); id !== ID.end; id = from.byte()) {
    if (id === ID.archiveProperties) while (from.number() !== 0) from.take(from.number());
    else if (id === ID.mainStreams) folders = readStreams(from, limits);
    else if (id === ID.files) files = readFiles(from, folders, limits);
    // Streams beside the main ones hold names and attributes outside of the header; no writer makes them.
    else
      throw from.fail(
        id === ID.additionalStreams ? 'additional streams' : `the property 0x${id.toString(16)}`,
      );
  }
  if (from.left > 0) throw from.fail(`${from.left} bytes behind its end`);
  return { kind: 'files', folders, files };
}

type Packed = { readonly start: number; readonly sizes: readonly number[] };

function readStreams(from: HeaderBytes, limits: Pick<ScanLimits, 'entries'>): readonly Folder[] {
  let packed: Packed = { start: 0, sizes: [] };
  let folders: readonly Folder[] = [];
  for (let id = from.byte(); id !== ID.end; id = from.byte()) {
    if (id === ID.packInfo) packed = readPacked(from, limits);
    else if (id === ID.unpackInfo) folders = readFolders(from, packed, limits);
    else if (id === ID.substreams) folders = readContents(from, folders, limits);
    else throw from.fail(`the property 0x${id.toString(16)} among streams`);
  }
  return folders;
}

function readPacked(from: HeaderBytes, { entries: most }: Pick<ScanLimits, 'entries'>): Packed {
  const start = from.number();
  const count = from.count(most);
  let sizes: readonly number[] = [];
  for (let id = from.byte(); id !== ID.end; id = from.byte()) {
    if (id === ID.size) sizes = Array.from({ length: count }, () => from.number());
    else if (id === ID.crc) readChecksums(from, count);
    else throw from.fail(`the property 0x${id.toString(16)} among packed streams`);
  }
  if (sizes.length !== count) throw from.fail('packed streams without sizes');
  return { start, sizes };
}

function readChecksums(from: HeaderBytes, count: number): readonly (number | undefined)[] {
  return from.bitsOrAll(count).map((given) => (given ? from.u32() : undefined));
}

function readFolders(
  from: HeaderBytes,
  packed: Packed,
  { entries: most }: Pick<ScanLimits, 'entries'>,
): readonly Folder[] {
  from.require(ID.folder, 'folders');
  const count = from.count(most);
  from.require(0, 'folders in the header');
  const shapes = Array.from({ length: count }, () => readPlan(from));
  from.require(ID.unpackSize, 'the sizes of folders');
  const plans = shapes.map((shape) => shape(() => from.number()));
  let checksums: readonly (number | undefined)[] = [];
  for (let id = from.byte(); id !== ID.end; id = from.byte()) {
    if (id === ID.crc) checksums = readChecksums(from, count);
    else throw from.fail(`the property 0x${id.toString(16)} among folders`);
  }
  let stream = 0;
  let start = SIGNATURE_HEADER + packed.start;
  return plans.map((plan, i) => {
    const own = packed.sizes.slice(stream, stream + plan.packedStreams);
    if (own.length !== plan.packedStreams) throw from.fail('folders of more streams than there are');
    stream += own.length;
    const first = start;
    const streams = own.map((size) => {
      start += size;
      return { start: start - size, size };
    });
    if (!Number.isSafeInteger(start)) throw from.fail('packed streams of impossible size');
    const { size } = plan;
    const crc = checksums[i];
    return {
      plan,
      start: first,
      packedSize: start - first,
      packed: streams,
      size,
      crc,
      contents: [{ size, crc }],
    };
  });
}

function readContents(
  from: HeaderBytes,
  folders: readonly Folder[],
  { entries: most }: Pick<ScanLimits, 'entries'>,
): readonly Folder[] {
  let counts = folders.map(() => 1);
  let id = from.byte();
  if (id === ID.streamCount) {
    counts = folders.map(() => from.number());
    id = from.byte();
  }
  let sizes = folders.map(({ size }, i) => (counts[i] === 1 ? [size] : []));
  if (id === ID.size) {
    sizes = folders.map(({ size }, i) => {
      const count = counts[i]!;
      // All but the last are given; it takes what is left.
      if (count - 1 > Math.min(most, from.left)) throw from.fail(`${count} contents in ${from.left} bytes`);
      if (count === 0 && size > 0) throw from.fail('a folder that holds no file');
      if (count === 0) return [];
      const given = Array.from({ length: count - 1 }, () => from.number());
      const last = size - given.reduce((sum, each) => sum + each, 0);
      if (!(last >= 0)) throw from.fail('contents that are larger than their folder');
      return [...given, last];
    });
    id = from.byte();
  }
  if (sizes.some((each, i) => each.length !== counts[i])) throw from.fail('contents without sizes');
  let given: readonly (number | undefined)[] = [];
  if (id === ID.crc) {
    const open = folders.reduce(
      (sum, { crc }, i) => sum + (counts[i] === 1 && crc !== undefined ? 0 : counts[i]!),
      0,
    );
    given = readChecksums(from, open);
    id = from.byte();
  }
  if (id !== ID.end) throw from.fail(`the property 0x${id.toString(16)} among contents`);
  let next = 0;
  return folders.map((folder, i) => ({
    ...folder,
    contents: sizes[i]!.map((size) => ({
      size,
      crc: counts[i] === 1 && folder.crc !== undefined ? folder.crc : given[next++],
    })),
  }));
}

function readFiles(
  from: HeaderBytes,
  folders: readonly Folder[],
  { entries: most }: Pick<ScanLimits, 'entries'>,
): readonly ListedFile[] {
  const count = from.count(most);
  let names: readonly string[] = new Array<string>(count).fill('');
  let empty: readonly boolean[] = [];
  let emptyFile: readonly boolean[] = [];
  let anti: readonly boolean[] = [];
  let attributes: readonly number[] = [];
  const empties = () => empty.reduce((sum, each) => sum + (each ? 1 : 0), 0);
  for (let id = from.number(); id !== ID.end; id = from.number()) {
    const part = from.part(from.number());
    if (id === ID.emptyStream) empty = part.bits(count);
    else if (id === ID.emptyFile) emptyFile = part.bits(empties());
    else if (id === ID.anti) anti = part.bits(empties());
    else if (id === ID.names) names = readNames(part, count);
    else if (id === ID.attributes) {
      const given = part.bitsOrAll(count);
      part.require(0, 'attributes in the header');
      attributes = given.map((there) => (there ? part.u32() : 0));
    }
  }
  const contents = folders.flatMap(({ contents }, of) => {
    let start = 0;
    return contents.map(({ size, crc }) => {
      start += size;
      return { of, start: start - size, size, crc };
    });
  });
  let [next, nextEmpty] = [0, 0];
  const files = names.map((name, i) => {
    const attribute = attributes[i] ?? 0;
    const mode = (attribute & 0x8000) === 0 ? 0 : attribute >>> 16;
    if (!empty[i]) {
      const content = contents[next++];
      if (content === undefined) throw from.fail('more files than contents');
      return { name, folder: false, anti: false, mode, content };
    }
    const at = nextEmpty++;
    return { name, folder: !emptyFile[at], anti: anti[at] ?? false, mode, content: undefined };
  });
  if (next !== contents.length) throw from.fail('more contents than files');
  return files;
}

/** Names in UTF-16, each with a zero behind it. */
function readNames(from: HeaderBytes, count: number): readonly string[] {
  from.require(0, 'names in the header');
  if (from.left < 2 * count || from.left % 2 !== 0) throw from.fail(`${count} names in ${from.left} bytes`);
  const text = Buffer.from(from.take(from.left)).toString('utf16le');
  const names = text.split('\0', count + 1);
  if (names.length !== count + 1 || names[count] !== '' || !text.endsWith('\0'))
    throw from.fail(`other than ${count} names`);
  return names.slice(0, count);
}
