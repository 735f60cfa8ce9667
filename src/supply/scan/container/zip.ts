import { createInflateRaw, createZstdDecompress } from 'node:zlib';
import { GlacisError } from '../../../core/error.ts';
import { type ByteSource, rangeSource } from '../../../data/byte-source.ts';
import type { Collection, ScanContext, Scanner } from '../scanner.ts';
import { bunzip2 } from './bzip2.ts';
import { unlzma } from './lzma/streams.ts';
import { checkLink, checksumOf } from './member-content.ts';
import { escapeOf } from './member-name.ts';
import { CONTAINER_RULES as RULE } from './rules.ts';
import { collect, through } from './unpack.ts';
import {
  findEnd,
  readLocalHeaders,
  readZip,
  type ZipDirectory,
  type ZipEntry,
  type ZipHeader,
} from './zip-directory.ts';

/**
 * Zip archives, PyTorch's, Keras's and NumPy's among them: found by the end record, so that bytes in front do not hide them, and
 * held against everything that readers disagree on. What a strict reader refuses is reported and read all the same, because a
 * lenient one loads it.
 */
export const zipScanner: Scanner = {
  id: 'zip',
  title: 'Zip archive',
  rules: [
    RULE.pathEscape,
    RULE.linkEscape,
    RULE.link,
    RULE.duplicate,
    RULE.outside,
    RULE.encrypted,
    RULE.unsupported,
    RULE.bomb,
    RULE.overlap,
    RULE.nameMismatch,
    RULE.headerMismatch,
    RULE.flags,
    RULE.checksum,
    RULE.twoDirectories,
  ],
  recognises: ({ head, tail }) =>
    (head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5)) || findEnd(tail) >= 0,
  async scan(source, context) {
    const size = Math.min(source.size, TAIL);
    if (findEnd(await source.read(source.size - size, size)) < 0)
      return scanWithoutDirectory(source, context);
    const directory = await readZip(source, context.budget, context.where);
    checkEntries(directory.entries, context);
    await checkLayout(source, directory, context);
    await context.members(membersOf(source, directory.entries, context));
  },
};

/** Bytes in which the end record lies. */
const TAIL = 22 + 0xffff;

/** An archive that breaks off, or bytes between members: readers of streams load what is there. */
async function scanWithoutDirectory(source: ByteSource, context: ScanContext): Promise<void> {
  const entries = await readLocalHeaders(source, context.budget);
  await context.members(membersOf(source, entries, context));
  throw new GlacisError(
    'data/unreadable',
    `${context.where}: a zip archive without its directory (is it cut short?)`,
  );
}

/** Bits that writers of models set: sizes behind the content, compression levels, UTF-8 names. */
const USUAL_FLAGS = 0x0808 | 0x0006;
const ENCRYPTED = 0x0001;
const SIZES_BEHIND = 0x0008;
const SYMLINK = 0xa000;
const FILE_KIND = 0xf000;

function checkEntries(entries: readonly ZipEntry[], { report }: Opening): void {
  const names = new Set<string>();
  for (const { central, local, otherName, start, mode } of entries) {
    const { name } = central;
    if (otherName !== undefined && otherName !== name)
      report(RULE.nameMismatch, `${name} in the directory, ${otherName} in its extra field`, start);
    const way = escapeOf(name);
    if (way !== undefined) report(RULE.pathEscape, `${name} ${way}`, start);
    // Folding case as well: many file systems do.
    const folded = name.toLowerCase();
    if (names.has(folded)) report(RULE.duplicate, name, start);
    names.add(folded);
    if ((mode & FILE_KIND) === SYMLINK) report(RULE.link, `${name} is a symbolic link`, start);
    const flags = central.flags | (local?.flags ?? 0);
    if ((flags & ENCRYPTED) !== 0) report(RULE.encrypted, name, start);
    const odd = flags & ~USUAL_FLAGS & ~ENCRYPTED;
    if (odd !== 0) report(RULE.flags, `${name} has the flags 0x${odd.toString(16)}`, start);
    if (local === undefined) {
      report(RULE.headerMismatch, `${name} has no header where the directory says`, start);
      continue;
    }
    if (local.rawName !== central.rawName)
      report(RULE.nameMismatch, `${name} in the directory, ${local.name} in place`, start);
    const behind = (local.flags & SIZES_BEHIND) !== 0;
    const differ = (['flags', 'method', 'crc', 'packedSize', 'size'] as const).filter(
      (field) =>
        local[field] !== central[field] && !(behind && local[field] === 0 && /crc|size/i.test(field)),
    );
    if (differ.length > 0) report(RULE.headerMismatch, `${name}: ${differ.join(', ')}`, start);
  }
}

/** Signature, CRC and two sizes behind a member whose header leaves them out. */
const DESCRIPTORS: readonly number[] = [0, 12, 16, 20, 24];
/** Places in front, between and behind that are looked at. */
const MAX_GAPS = 64;

/** Every byte has to belong to a member, the directory or the end record, and to one of them only. */
async function checkLayout(source: ByteSource, directory: ZipDirectory, context: ScanContext): Promise<void> {
  const { entries, start, end, otherEnds } = directory;
  if (otherEnds > 0) context.report(RULE.twoDirectories, `${otherEnds + 1} end records`);
  const placed = entries.filter(({ local }) => local !== undefined).sort((a, b) => a.start - b.start);
  const gaps: { readonly from: number; readonly to: number }[] = [];
  let at = 0;
  let last: ZipEntry | undefined;
  for (const entry of placed) {
    context.budget.step();
    if (entry.start < at)
      context.report(RULE.overlap, `${entry.central.name} lies over ${last?.central.name}`, entry.start);
    else if (!isDescriptor(last, entry.start - at)) gaps.push({ from: at, to: entry.start });
    at = Math.max(at, entry.end);
    last = entry;
  }
  if (at > start) context.report(RULE.overlap, 'a member lies over the directory', start);
  else if (!isDescriptor(last, start - at)) gaps.push({ from: at, to: start });
  if (end < source.size) gaps.push({ from: end, to: source.size });
  for (const { from, to } of gaps.slice(0, MAX_GAPS)) {
    context.report(RULE.outside, `bytes ${from} to ${to}`, from);
    await context.nested(`bytes from ${from}`, rangeSource(source, from, to - from, context.where));
  }
}

function isDescriptor(entry: ZipEntry | undefined, length: number): boolean {
  if (length === 0) return true;
  return entry !== undefined && (entry.central.flags & SIZES_BEHIND) !== 0 && DESCRIPTORS.includes(length);
}

/** What opening members needs of a scan. */
type Opening = Pick<ScanContext, 'report' | 'budget' | 'where' | 'signal'>;

/**
 * The members of an archive as they lie there; everything that readers disagree on is reported.
 * Errors: `data/unreadable`, `scan/limit`.
 */
export async function openZipArchive(source: ByteSource, opening: Opening): Promise<Collection> {
  const { entries } = await readZip(source, opening.budget, opening.where);
  opening.budget.entries(entries.length);
  checkEntries(entries, opening);
  return membersOf(source, entries, opening);
}

function membersOf(source: ByteSource, entries: readonly ZipEntry[], context: Opening): Collection {
  const files = new Map<string, ZipEntry>();
  for (const entry of entries) {
    const { name, size } = entry.central;
    if (name.endsWith('/') && size === 0) continue;
    let unique = name;
    // Each of several members of one name is looked at.
    for (let i = 2; files.has(unique) && i < 100; i++) unique = `${name} (${i})`;
    files.set(unique, entry);
  }
  const raw = new Set<string>();
  return {
    kind: 'archive',
    members: [...files].map(([name, { central }]) => ({ name, size: central.size })),
    vouch: (name) => raw.add(name),
    async open(name) {
      const entry = files.get(name);
      if (entry === undefined)
        throw new GlacisError('data/unreadable', `${context.where}!${name}: no such member`);
      return openEntry(source, entry, raw.has(name), context);
    },
  };
}

/**
 * The content of a member, as the directory has it. Reports what does not fit, and gives what there is. Stored `raw` numbers are
 * not read for their checksum: PyTorch does not look at it either, and a wrong one shows damage and no deceit.
 */
async function openEntry(
  source: ByteSource,
  entry: ZipEntry,
  raw: boolean,
  context: Opening,
): Promise<ByteSource> {
  const { central, local, contentStart, start } = entry;
  const where = `${context.where}!${central.name}`;
  if (local === undefined)
    throw new GlacisError('data/unreadable', `${where}: no content where the directory says`);
  const left = Math.max(0, source.size - contentStart);
  const packed = rangeSource(
    source,
    Math.min(contentStart, source.size),
    Math.min(central.packedSize, left),
    where,
  );
  // What is encrypted does not unpack; that it is was reported.
  const encrypted = (central.flags & local.flags & ENCRYPTED) !== 0;
  const wrong = (what: string) =>
    encrypted ? undefined : context.report(RULE.checksum, `${central.name}: ${what}`, start);
  if (left < central.packedSize) wrong('it goes past the end of the archive');
  if (central.method === 0) {
    if (central.size !== central.packedSize) wrong('stored with two sizes');
    if (!raw && (await checksumOf(packed, context)) !== central.crc) wrong('the checksum is another');
    if ((entry.mode & FILE_KIND) === SYMLINK) await checkLink(packed, central.name, context, start);
    return { ...packed, close: async () => {} };
  }
  const pieces = unpackMember(packed, central, where, context.signal);
  if (pieces === undefined) {
    context.report(RULE.unsupported, `${central.name} is compressed with method ${central.method}`, start);
    return { ...packed, close: async () => {} };
  }
  const { content, crc, damage, bomb } = await collect(pieces, packed.size, context.budget, where);
  if (bomb)
    context.report(
      RULE.bomb,
      `${central.name}: ${content.size} bytes and more out of ${central.packedSize}`,
      start,
    );
  else if (damage !== undefined) wrong(damage);
  else if (content.size !== central.size) wrong(`${content.size} bytes where ${central.size} are declared`);
  else if (crc !== central.crc) wrong('the checksum is another');
  if ((entry.mode & FILE_KIND) === SYMLINK) await checkLink(content, central.name, context, start);
  return content;
}

/** What comes out of a member: Deflate, and what Python's zipfile reads beside it. `undefined` for other methods. */
function unpackMember(
  packed: ByteSource,
  { method, size }: ZipHeader,
  where: string,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> | undefined {
  switch (method) {
    case 8:
      return through(createInflateRaw(), packed, signal);
    case 12:
      return bunzip2(packed, where, signal);
    case 14:
      return unlzmaMember(packed, size, where, signal);
    case 93:
      return through(createZstdDecompress(), packed, signal);
    default:
      return undefined;
  }
}

/** LZMA in a zip archive: two bytes of version, the size of its properties, five of them (APPNOTE.TXT 5.8.8). */
async function* unlzmaMember(
  packed: ByteSource,
  size: number,
  where: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const head = await packed.read(0, 9);
  const view = new DataView(head.buffer, head.byteOffset, 9);
  if (view.getUint16(2, true) !== 5) throw new GlacisError('data/unreadable', `${where}: expected LZMA`);
  const header = { properties: head[4]!, dictionary: view.getUint32(5, true), size };
  const end = yield* unlzma(packed, 9, header, where, signal);
  if (end !== packed.size)
    throw new GlacisError('data/unreadable', `${where}: ${packed.size - end} bytes behind its end`);
}
