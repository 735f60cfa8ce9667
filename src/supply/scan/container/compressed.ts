import { Readable } from 'node:stream';
import { constants, createGunzip, createInflate, createZstdDecompress, inflateSync } from 'node:zlib';
import { GlacisError } from '../../../core/error.ts';
import { type ByteSource, chunksOf } from '../../../data/byte-source.ts';
import { ENGINE_RULES } from '../engine-rules.ts';
import type { Scanner } from '../scanner.ts';
import { bunzip2 } from './bzip2.ts';
import { beginsLzma, unlzmaAlone } from './lzma/streams.ts';
import { CONTAINER_RULES as RULE } from './rules.ts';
import { collect, through } from './unpack.ts';

/** A compression that holds one content, by its first bytes. */
interface Compression {
  readonly id: string;
  readonly title: string;
  /** Whether nothing but its first numbers tell it from others, so that arrays of small integers may begin like it. */
  readonly unmarked?: boolean;
  begins(head: Uint8Array): boolean | Promise<boolean>;
  unpack(source: ByteSource, where: string, signal: AbortSignal | undefined): AsyncIterable<Uint8Array>;
}

const starts =
  (...bytes: readonly number[]) =>
  (head: Uint8Array) =>
    bytes.every((byte, i) => head[i] === byte);

const COMPRESSIONS: readonly Compression[] = [
  {
    id: 'gzip',
    title: 'gzip',
    begins: starts(0x1f, 0x8b, 8),
    unpack: (source, _, signal) => through(createGunzip(), source, signal),
  },
  {
    id: 'zlib',
    title: 'zlib, as joblib writes it',
    begins: beginsZlib,
    unpack: (source, _, signal) => through(createInflate(), source, signal),
  },
  {
    id: 'zstd',
    title: 'Zstandard',
    begins: starts(0x28, 0xb5, 0x2f, 0xfd),
    unpack: (source, _, signal) => through(createZstdDecompress(), source, signal),
  },
  {
    id: 'bzip2',
    title: 'bzip2',
    begins: (head) => starts(0x42, 0x5a, 0x68)(head) && head[3]! >= 0x31 && head[3]! <= 0x39,
    unpack: bunzip2,
  },
  { id: 'xz', title: 'xz', begins: starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), unpack: unxz },
  {
    id: 'lzma',
    title: 'LZMA without xz around it (.lzma)',
    unmarked: true,
    begins: beginsLzma,
    unpack: unlzmaAlone,
  },
];

/** Scanners of single compressed contents, one for each compression. */
export const compressedScanners: readonly Scanner[] = COMPRESSIONS.map(scannerOf);

/** Fewer bytes than this that come out of what is damaged are chance. */
const CHANCE = 16;

function scannerOf({ id, title, unmarked = false, begins, unpack }: Compression): Scanner {
  return {
    id,
    title,
    rules: [RULE.bomb, ENGINE_RULES.unknownFormat],
    recognises: ({ head }) => begins(head),
    async scan(source, context) {
      const { budget, where, signal } = context;
      const { content, damage, bomb } = await collect(
        unpack(source, where, signal),
        source.size,
        budget,
        where,
      );
      try {
        if (bomb) context.report(RULE.bomb, `${content.size} bytes and more out of ${source.size}`);
        // What came out before the damage is what a loader that reads as a stream has run by then.
        const known = await context.nested(
          context.name.replace(/\.(gz|gzip|z|zst|zstd|bz2|xz|lzma)$/i, ''),
          content,
        );
        if (damage !== undefined && unmarked && (!known || content.size < CHANCE)) return 'another format';
        if (damage !== undefined) throw new GlacisError('data/unreadable', `${where}: ${damage}`);
        if (!known) context.report(ENGINE_RULES.unknownFormat, 'no scanner knows what it holds');
        return;
      } finally {
        await content.close();
      }
    },
  };
}

/** Unpacks xz. Pieces are bytes of their own. */
export async function* unxz(
  source: ByteSource,
  _: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { default: xz } = await import('xz-decompress');
  const packed = Readable.toWeb(Readable.from(chunksOf(source, signal))) as ReadableStream<Uint8Array>;
  // Pieces are views of the module's memory, which the next one overwrites.
  for await (const piece of new xz.XzReadableStream(packed)) yield piece.slice();
}

/** RFC 1950, 2.2: the method is deflate, and the first two bytes are a multiple of 31. Both hold for much else, so it is tried. */
function beginsZlib(head: Uint8Array): boolean {
  const [cmf = 0, flg = 0] = head;
  if ((cmf & 0x8f) !== 8 || ((cmf << 8) | flg) % 31 !== 0 || (flg & 0x20) !== 0) return false;
  try {
    return inflateSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 23 }).length > 0;
  } catch {
    return false;
  }
}
