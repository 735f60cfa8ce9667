import { GlacisError } from '../../../core/error.ts';
import { type ByteSource, rangeSource } from '../../../data/byte-source.ts';
import type { Budget } from '../limits.ts';
import type { Collection, ScanContext, Scanner } from '../scanner.ts';
import { escapeOf, linkLeadsOut } from './member-name.ts';
import { CONTAINER_RULES as RULE } from './rules.ts';

/**
 * Tar archives (ustar, GNU and pax), PyTorch's oldest format among them. Links and devices are reported, never followed.
 * Source: POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format".
 */
export const tarScanner: Scanner = {
  id: 'tar',
  title: 'Tar archive',
  rules: [RULE.pathEscape, RULE.linkEscape, RULE.link, RULE.duplicate, RULE.outside, RULE.legacyTar],
  recognises: ({ head }) => head.length >= BLOCK && isHeader(head.subarray(0, BLOCK)),
  async scan(source, context) {
    const { entries, end } = await readTar(source, context.budget, context.where);
    const members = new Map<string, TarEntry>();
    for (const entry of entries) {
      checkEntry(entry, members, context);
      if (entry.kind === 'file') {
        let unique = entry.name;
        for (let i = 2; members.has(unique) && i < 100; i++) unique = `${entry.name} (${i})`;
        members.set(unique, entry);
      }
    }
    if (['pickle', 'storages', 'tensors'].every((name) => members.has(name)))
      context.report(RULE.legacyTar, 'members pickle, storages and tensors');
    await context.members(collectionOf(source, members, context));
    const after = await firstByte(source, end, context.budget);
    if (after < source.size) {
      context.report(RULE.outside, `bytes from ${after}`, after);
      await context.nested(
        `bytes from ${after}`,
        rangeSource(source, after, source.size - after, context.where),
      );
    }
  },
};

const BLOCK = 512;
/** The longest name and the longest pax record. */
const MAX_RECORD = 1 << 20;

interface TarEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'symbolic link' | 'hard link' | 'device or pipe';
  readonly target: string;
  /** Byte of its header. */
  readonly at: number;
  readonly start: number;
  readonly size: number;
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(0, zeroIn(bytes)));

function zeroIn(bytes: Uint8Array): number {
  const zero = bytes.indexOf(0);
  return zero < 0 ? bytes.length : zero;
}

/** Octal digits, or from the first bit on big-endian bytes, as GNU writes large numbers. */
function numberOf(field: Uint8Array): number {
  if ((field[0]! & 0x80) !== 0) {
    let value = field[0]! & 0x3f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return (field[0]! & 0x40) !== 0 ? Number.NaN : value;
  }
  const digits = text(field).trim();
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** Whether a block is a header: its checksum is the sum of its bytes, with spaces in place of the checksum. */
function isHeader(block: Uint8Array): boolean {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (const [i, byte] of block.entries()) {
    if (i >= 148 && i < 156) continue;
    unsigned += byte;
    signed += (byte << 24) >> 24;
  }
  const sum = numberOf(block.subarray(148, 156));
  return block.some((byte) => byte !== 0) && (sum === unsigned || sum === signed);
}

async function readTar(
  source: ByteSource,
  budget: Budget,
  where: string,
): Promise<{ readonly entries: readonly TarEntry[]; readonly end: number }> {
  const entries: TarEntry[] = [];
  let given: { name?: string; target?: string; size?: number } = {};
  let at = 0;
  while (at + BLOCK <= source.size) {
    budget.step(16);
    const block = await source.read(at, BLOCK);
    if (block.every((byte) => byte === 0)) return { entries, end: at };
    if (!isHeader(block)) throw new GlacisError('data/unreadable', `${where}: no header at byte ${at}`);
    const type = String.fromCharCode(block[156]!);
    const size = given.size ?? numberOf(block.subarray(124, 136));
    const start = at + BLOCK;
    const next = start + Math.ceil(size / BLOCK) * BLOCK;
    if (!(size >= 0 && start + size <= source.size && Number.isSafeInteger(next)))
      throw new GlacisError('data/unreadable', `${where}: a member of ${size} bytes at byte ${at}`);
    if ('LKxg'.includes(type)) {
      if (size > MAX_RECORD) throw new GlacisError('data/unreadable', `${where}: a record of ${size} bytes`);
      const content = await source.read(start, size);
      if (type === 'L') given.name = text(content);
      else if (type === 'K') given.target = text(content);
      else given = { ...given, ...paxOf(content) };
    } else {
      const prefix = text(block.subarray(257, 262)) === 'ustar' ? text(block.subarray(345, 500)) : '';
      const short = text(block.subarray(0, 100));
      const name = given.name ?? (prefix === '' ? short : `${prefix}/${short}`);
      const target = given.target ?? text(block.subarray(157, 257));
      entries.push({
        name,
        kind: kindOf(type, name),
        target,
        at,
        start,
        size: '12345 6'.includes(type) ? 0 : size,
      });
      given = {};
    }
    at = next;
  }
  return { entries, end: Math.min(at, source.size) };
}

function kindOf(type: string, name: string): TarEntry['kind'] {
  if (type === '1') return 'hard link';
  if (type === '2') return 'symbolic link';
  if ('346'.includes(type)) return 'device or pipe';
  return type === '5' || name.endsWith('/') ? 'folder' : 'file';
}

/** Records of the form `<length> <key>=<value>\n`. */
function paxOf(content: Uint8Array): { name?: string; target?: string; size?: number } {
  const found: { name?: string; target?: string; size?: number } = {};
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(0x20, at);
    const length = Number(new TextDecoder().decode(content.subarray(at, space < 0 ? at : space)));
    if (space < 0 || !Number.isSafeInteger(length) || length <= space - at || at + length > content.length)
      break;
    const [key, ...rest] = new TextDecoder().decode(content.subarray(space + 1, at + length - 1)).split('=');
    const value = rest.join('=');
    if (key === 'path') found.name = value;
    if (key === 'linkpath') found.target = value;
    if (key === 'size') found.size = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    at += length;
  }
  return found;
}

function checkEntry(
  { name, kind, target, at }: TarEntry,
  before: ReadonlyMap<string, unknown>,
  { report }: ScanContext,
) {
  const way = escapeOf(name);
  if (way !== undefined) report(RULE.pathEscape, `${name} ${way}`, at);
  if (before.has(name)) report(RULE.duplicate, name, at);
  if (kind === 'file' || kind === 'folder') return;
  // A hard link names its target from the root of the archive, a symbolic one from its own folder.
  const leadsOut = kind === 'hard link' ? escapeOf(target) !== undefined : linkLeadsOut(name, target);
  if (kind !== 'device or pipe' && leadsOut) report(RULE.linkEscape, `${name} leads to ${target}`, at);
  else report(RULE.link, `${name} is a ${kind}`, at);
}

function collectionOf(
  source: ByteSource,
  entries: ReadonlyMap<string, TarEntry>,
  context: ScanContext,
): Collection {
  return {
    kind: 'archive',
    members: [...entries].map(([name, { size }]) => ({ name, size })),
    vouch: () => {},
    async open(name) {
      const entry = entries.get(name);
      const where = `${context.where}!${name}`;
      if (entry === undefined) throw new GlacisError('data/unreadable', `${where}: no such member`);
      return { ...rangeSource(source, entry.start, entry.size, where), close: async () => {} };
    },
  };
}

const CHUNK = 1 << 20;

/** The first byte from `start` on that is not zero; the size where there is none. */
async function firstByte(source: ByteSource, start: number, budget: Budget): Promise<number> {
  for (let at = start; at < source.size; at += CHUNK) {
    budget.step(64);
    const chunk = await source.read(at, Math.min(CHUNK, source.size - at));
    const found = chunk.findIndex((byte) => byte !== 0);
    if (found >= 0) return at + found;
  }
  return source.size;
}
