import type { Transform } from 'node:stream';
import { constants, createGunzip, createInflate, createZstdDecompress, inflateSync } from 'node:zlib';
import { GlacisError } from '../../../core/error.ts';
import { ENGINE_RULES } from '../engine-rules.ts';
import type { Scanner } from '../scanner.ts';
import { CONTAINER_RULES as RULE } from './rules.ts';
import { unpack } from './unpack.ts';

/** A compression that holds one content, by its first bytes. */
interface Compression {
  readonly id: string;
  readonly title: string;
  begins(head: Uint8Array): boolean;
  readonly decompressor: () => Transform;
}

const starts =
  (...bytes: readonly number[]) =>
  (head: Uint8Array) =>
    bytes.every((byte, i) => head[i] === byte);

const COMPRESSIONS: readonly Compression[] = [
  { id: 'gzip', title: 'gzip', begins: starts(0x1f, 0x8b, 8), decompressor: createGunzip },
  {
    id: 'zlib',
    title: 'zlib, as joblib writes it',
    begins: beginsZlib,
    decompressor: createInflate,
  },
  {
    id: 'zstd',
    title: 'Zstandard',
    begins: starts(0x28, 0xb5, 0x2f, 0xfd),
    decompressor: createZstdDecompress,
  },
];

/** Scanners of single compressed contents, one for each compression. */
export const compressedScanners: readonly Scanner[] = COMPRESSIONS.map(scannerOf);

function scannerOf({ id, title, begins, decompressor }: Compression): Scanner {
  return {
    id,
    title,
    rules: [RULE.bomb, ENGINE_RULES.unknownFormat],
    recognises: ({ head }) => begins(head),
    async scan(source, context) {
      const { budget, where, signal } = context;
      const { content, damage, bomb } = await unpack(source, decompressor(), budget, where, signal);
      try {
        if (bomb) context.report(RULE.bomb, `${content.size} bytes and more out of ${source.size}`);
        // What came out before the damage is what a loader that reads as a stream has run by then.
        const known = await context.nested(context.name.replace(/\.(gz|gzip|z|zst|zstd)$/i, ''), content);
        if (damage !== undefined) throw new GlacisError('data/unreadable', `${where}: ${damage}`);
        if (!known) context.report(ENGINE_RULES.unknownFormat, 'no scanner knows what it holds');
      } finally {
        await content.close();
      }
    },
  };
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
