import { crc32 } from 'node:zlib';
import { GlacisError } from '../../../../core/error.ts';
import { type ByteSource, rangeSource } from '../../../../data/byte-source.ts';
import type { Collection, ScanContext, Scanner } from '../../scanner.ts';
import { checkLink, checksumOf } from '../member-content.ts';
import { escapeOf } from '../member-name.ts';
import { CONTAINER_RULES as RULE } from '../rules.ts';
import { collect } from '../unpack.ts';
import { type Folder, type ListedFile, readHeader, SIGNATURE_HEADER } from './read-header.ts';
import { problemOf, unpackFolder } from './unpack-folder.ts';

/**
 * 7z archives: header (packed or not), files, folders of copy, LZMA, LZMA2, Deflate or bzip2, behind filters (Delta, BCJ, BCJ2, ARM,
 * ARM64) where there are. What is encrypted or packed in other ways (PPMd) is named and unreadable.
 * Source: 7zFormat.txt of the LZMA SDK.
 */
export const sevenZipScanner: Scanner = {
  id: '7z',
  title: '7z archive',
  rules: [
    RULE.pathEscape,
    RULE.linkEscape,
    RULE.link,
    RULE.duplicate,
    RULE.outside,
    RULE.sealed,
    RULE.unsupported,
    RULE.bomb,
    RULE.sevenZipChecksum,
  ],
  recognises: ({ head }) => MARK.every((byte, i) => head[i] === byte),
  async scan(source, context) {
    const archive = await readArchive(source, context);
    if (archive === undefined) return;
    await reportOutside(source, archive, context);
    const closed = new Set<number>();
    for (const [of, folder] of archive.folders.entries())
      if (reportProblem(folder, '', context)) closed.add(of);
    const files = checkFiles(archive.files, closed, context);
    const opened = new OpenFolders(source, archive.folders, context);
    try {
      await context.members(membersOf(files, opened, context));
    } finally {
      await opened.close();
    }
  },
};

const MARK = [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c];
/** Headers in headers; writers pack one once. */
const MAX_PACKED = 4;

interface Archive {
  readonly folders: readonly Folder[];
  readonly files: readonly ListedFile[];
  /** Byte ranges that belong to the archive. */
  readonly used: readonly (readonly [start: number, end: number])[];
}

/** The archive's lists; `undefined` where they are encrypted, which is reported. */
async function readArchive(source: ByteSource, context: ScanContext): Promise<Archive | undefined> {
  const { where, budget, signal } = context;
  const fail = (what: string) =>
    new GlacisError('data/unreadable', `${where}: expected a 7z archive, got ${what}`);
  if (source.size < SIGNATURE_HEADER) throw fail('one that is cut short');
  const head = await source.read(0, SIGNATURE_HEADER);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (crc32(head.subarray(12)) !== view.getUint32(8, true)) throw fail('another checksum of its first bytes');
  const [offset, size] = [Number(view.getBigUint64(12, true)), Number(view.getBigUint64(20, true))];
  const start = SIGNATURE_HEADER + offset;
  const used: [number, number][] = [
    [0, SIGNATURE_HEADER],
    [start, start + size],
  ];
  if (size === 0) return { folders: [], files: [], used };
  if (!(start + size <= source.size)) throw fail('a header outside of the file');
  let bytes = await source.read(start, size);
  if (crc32(bytes) !== view.getUint32(28, true)) throw fail('another checksum of its header');
  for (let level = 0; level < MAX_PACKED; level++) {
    const header = readHeader(bytes, budget.limits, where);
    if (header.kind === 'files') {
      for (const { start, packedSize } of header.folders) used.push([start, start + packedSize]);
      return { folders: header.folders, files: header.files, used };
    }
    const [folder] = header.folders;
    if (folder === undefined || header.folders.length > 1) throw fail('a header in several parts');
    used.push([folder.start, folder.start + folder.packedSize]);
    if (reportProblem(folder, 'its list of files: ', context)) return undefined;
    if (folder.size > budget.limits.readBytes)
      throw new GlacisError(
        'scan/limit',
        `${where}: expected a list of at most ${budget.limits.readBytes} bytes`,
      );
    const { content, crc, damage } = await collect(
      unpackFolder(source, folder, where, signal),
      folder.packedSize,
      budget,
      where,
    );
    try {
      if (damage !== undefined) throw fail(damage);
      if (content.size !== folder.size || (folder.crc !== undefined && crc !== folder.crc))
        throw fail('another checksum of its packed header');
      bytes = await content.read(0, content.size);
    } finally {
      await content.close();
    }
  }
  throw fail(`a header packed more than ${MAX_PACKED} times`);
}

/** Puts on record why a folder is not read; whether there was anything. */
function reportProblem(folder: Folder, what: string, { report }: ScanContext): boolean {
  const problem = problemOf(folder);
  if (problem === undefined) return false;
  report(
    problem.kind === 'encrypted' ? RULE.sealed : RULE.unsupported,
    `${what}${problem.what}`,
    folder.start,
  );
  return true;
}

const LINK = 0xa000;
const KIND = 0xf000;

/** Reports names that deceive, and gives the files with content that can be read under names of their own. */
function checkFiles(
  files: readonly ListedFile[],
  closed: ReadonlySet<number>,
  { report }: ScanContext,
): ReadonlyMap<string, ListedFile> {
  const members = new Map<string, ListedFile>();
  const names = new Set<string>();
  for (const file of files) {
    const { name } = file;
    const way = escapeOf(name);
    if (way !== undefined) report(RULE.pathEscape, `${name} ${way}`);
    // Folding case as well: many file systems do.
    const folded = name.toLowerCase();
    if (names.has(folded)) report(RULE.duplicate, name);
    names.add(folded);
    if (file.anti) report(RULE.link, `${name} takes a file away when it is unpacked`);
    if ((file.mode & KIND) === LINK) report(RULE.link, `${name} is a symbolic link`);
    if (file.content === undefined || closed.has(file.content.of)) continue;
    let unique = name;
    for (let i = 2; members.has(unique) && i < 100; i++) unique = `${name} (${i})`;
    members.set(unique, file);
  }
  return members;
}

/** Places that are looked at. */
const MAX_GAPS = 64;

/** Every byte has to belong to a header or to a folder. */
async function reportOutside(source: ByteSource, { used }: Archive, context: ScanContext): Promise<void> {
  let at = 0;
  let found = 0;
  const end: readonly [number, number] = [source.size, source.size];
  for (const [start, to] of [...used.toSorted(([a], [b]) => a - b), end]) {
    if (start > at && found++ < MAX_GAPS) {
      const until = Math.min(start, source.size);
      context.report(RULE.outside, `bytes ${at} to ${until}`, at);
      await context.nested(`bytes from ${at}`, rangeSource(source, at, until - at, context.where));
    }
    at = Math.max(at, Math.min(to, source.size));
  }
}

function membersOf(
  files: ReadonlyMap<string, ListedFile>,
  opened: OpenFolders,
  context: ScanContext,
): Collection {
  return {
    kind: 'archive',
    members: [...files].map(([name, { content }]) => ({ name, size: content!.size })),
    vouch: () => {},
    async open(name) {
      const file = files.get(name);
      const where = `${context.where}!${name}`;
      if (file?.content === undefined) throw new GlacisError('data/unreadable', `${where}: no such member`);
      const { of, start, size, crc } = file.content;
      const folder = await opened.open(of);
      const there = Math.max(0, Math.min(size, folder.content.size - start));
      const content = rangeSource(folder.content, Math.min(start, folder.content.size), there, where);
      if (there < size)
        context.report(RULE.sevenZipChecksum, `${name}: ${there} bytes where ${size} are declared`);
      else if (crc !== undefined && (await checksumOf(content, context)) !== crc)
        context.report(RULE.sevenZipChecksum, `${name}: the checksum is another`);
      if ((file.mode & KIND) === LINK) await checkLink(content, name, context);
      return { ...content, close: () => folder.release() };
    },
  };
}

/** A folder that is unpacked. */
interface OpenFolder {
  readonly content: ByteSource;
  readers: number;
}

/** Unpacks folders when one of their files is asked for; one that nobody reads stays until another is. */
class OpenFolders {
  readonly #archive: ByteSource;
  readonly #folders: readonly Folder[];
  readonly #context: ScanContext;
  readonly #open = new Map<number, OpenFolder>();

  constructor(archive: ByteSource, folders: readonly Folder[], context: ScanContext) {
    this.#archive = archive;
    this.#folders = folders;
    this.#context = context;
  }

  /** The content of a folder for one more reader. */
  async open(of: number): Promise<{ readonly content: ByteSource; release(): Promise<void> }> {
    let folder = this.#open.get(of);
    if (folder === undefined) {
      for (const [other, { readers }] of [...this.#open]) if (readers === 0) await this.#drop(other);
      folder = { content: await this.#unpack(of), readers: 0 };
      this.#open.set(of, folder);
    }
    const open = folder;
    open.readers++;
    return {
      content: open.content,
      release: async () => {
        open.readers--;
      },
    };
  }

  async close(): Promise<void> {
    for (const of of [...this.#open.keys()]) await this.#drop(of);
  }

  async #drop(of: number): Promise<void> {
    const content = this.#open.get(of)?.content;
    this.#open.delete(of);
    await content?.close();
  }

  /** What came out of a folder before its end or its damage; why not more is reported. */
  async #unpack(of: number): Promise<ByteSource> {
    const { where, budget, signal, report } = this.#context;
    const folder = this.#folders[of]!;
    const { content, damage, bomb } = await collect(
      unpackFolder(this.#archive, folder, where, signal),
      folder.packedSize,
      budget,
      where,
    );
    if (bomb) report(RULE.bomb, `${content.size} bytes and more out of ${folder.packedSize}`, folder.start);
    else if (damage !== undefined) report(RULE.sevenZipChecksum, damage, folder.start);
    return content;
  }
}
