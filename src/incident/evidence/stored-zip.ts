import { crc32 } from 'node:zlib';
import { GlacisError } from '../../core/error.ts';

/** A file in an archive. */
export interface ZipFile {
  /** Letters, digits, `.`, `-` and `/`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What was found in an archive, and what is wrong with it, each with the file that it concerns. */
export interface ZipContents {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly problems: readonly { readonly file: string; readonly problem: string }[];
}

const PATH = /^[A-Za-z0-9][A-Za-z0-9.-]*(?:\/[A-Za-z0-9][A-Za-z0-9.-]*){0,4}$/;
const MOST_PATH = 200;
/** Files of an archive. */
const MOST_FILES = 1000;
/** Bytes of an archive. */
export const MOST_ZIP_BYTES = 512 << 20;
/** 1 January 1980: the archive says nothing about when it was written. */
const DATE = 0x21;
const LOCAL = 30;
const CENTRAL = 46;
const END = 22;

/**
 * A zip archive of files as they are, not compressed: the same files give the same bytes, and one way alone to write them (PKWARE APPNOTE 6.3.10, sections 4.3.7 to
 * 4.3.16; no extra fields, no comments). Errors: `option/invalid` for a path or size that it does not take.
 */
export function writeStoredZip(files: readonly ZipFile[]): Buffer {
  const refuse = (wanted: string) => new GlacisError('option/invalid', `archive: expected ${wanted}`);
  if (files.length > MOST_FILES) throw refuse(`at most ${MOST_FILES} files, got ${files.length}`);
  if (new Set(files.map(({ path }) => path)).size !== files.length) throw refuse('no file twice');
  const parts: Buffer[] = [];
  const heads: Head[] = [];
  let at = 0;
  for (const { path, bytes } of files) {
    if (!isPath(path)) throw refuse(`plain paths, got '${path.slice(0, 80)}'`);
    const head = { path, crc: crc32(bytes), size: bytes.length, at };
    heads.push(head);
    parts.push(localHeader(head), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    at += LOCAL + path.length + bytes.length;
    if (at > MOST_ZIP_BYTES) throw refuse(`at most ${MOST_ZIP_BYTES} bytes`);
  }
  return Buffer.concat([...parts, directory(heads, at)]);
}

/**
 * Reads what {@link writeStoredZip} wrote, and nothing else: every byte of the archive is held against what would have been written, so that none can be changed,
 * added or hidden unseen. `bytes` are attacker-controlled. Files are views of them. Never throws.
 */
export function readStoredZip(bytes: Uint8Array): ZipContents {
  const files = new Map<string, Uint8Array>();
  const problems: { file: string; problem: string }[] = [];
  const heads: Head[] = [];
  const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const say = (file: string, problem: string) => {
    if (problems.length < 100) problems.push({ file, problem });
  };
  if (archive.length > MOST_ZIP_BYTES) {
    say('archive', `expected at most ${MOST_ZIP_BYTES} bytes`);
    return { files, problems };
  }
  let at = 0;
  while (
    heads.length < MOST_FILES &&
    at + LOCAL <= archive.length &&
    archive.readUInt32LE(at) === 0x04034b50
  ) {
    const [size, length] = [archive.readUInt32LE(at + 18), archive.readUInt16LE(at + 26)];
    const start = at + LOCAL + length;
    const end = start + size;
    if (length > MOST_PATH || end > archive.length) break;
    const path = archive.toString('latin1', at + LOCAL, start);
    if (!isPath(path)) {
      say('archive', `expected plain paths at byte ${at}`);
      break;
    }
    const content = archive.subarray(start, end);
    const head = { path, crc: crc32(content), size, at };
    const written = localHeader(head);
    if (written.readUInt32LE(14) !== archive.readUInt32LE(at + 14))
      say(path, 'its bytes do not have the checksum of the archive');
    else if (!written.equals(archive.subarray(at, start))) say(path, 'its header was changed');
    if (files.has(path)) say(path, 'it is there twice');
    else files.set(path, content);
    heads.push(head);
    at = end;
  }
  const expected = directory(heads, at);
  if (!expected.equals(archive.subarray(at))) {
    const after = heads.at(-1)?.path ?? 'its beginning';
    say('archive', `its directory is not that of the files before it (from byte ${at} on, after ${after})`);
  }
  return { files, problems };
}

interface Head {
  readonly path: string;
  readonly crc: number;
  readonly size: number;
  readonly at: number;
}

function isPath(path: string): boolean {
  return path.length <= MOST_PATH && PATH.test(path);
}

/** The fields that both headers of a file share: version 2.0, no flags, stored, no time, sizes. */
function common({ crc, size, path }: Head): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(DATE, 8);
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(size, 14);
  fields.writeUInt32LE(size, 18);
  fields.writeUInt16LE(path.length, 22);
  return fields;
}

function localHeader(head: Head): Buffer {
  return Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common(head), Buffer.from(head.path, 'latin1')]);
}

function directory(heads: readonly Head[], start: number): Buffer {
  const entries = heads.map((head) => {
    const entry = Buffer.alloc(CENTRAL);
    entry.write('PK\x01\x02', 'latin1');
    entry.writeUInt16LE(20, 4);
    common(head).copy(entry, 6);
    entry.writeUInt32LE(head.at, 42);
    return Buffer.concat([entry, Buffer.from(head.path, 'latin1')]);
  });
  const size = entries.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(END);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(heads.length, 8);
  end.writeUInt16LE(heads.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(start, 16);
  return Buffer.concat([...entries, end]);
}
