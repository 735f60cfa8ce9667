import { HASH_BYTES, nodeHash } from './merkle.ts';

/** Hashes of a full tile, and entries of a full bundle. */
export const TILE_WIDTH = 256;

/** Levels of the binary tree that one level of tiles spans. */
export const TILE_HEIGHT = 8;

/** Levels of tiles that a tree of at most 2^53 − 1 leaves has. */
export const TILE_LEVELS = 7;

/** Where hashes lie: level 0 holds leaf hashes, each higher level the roots of full tiles below. */
export interface TileName {
  readonly level: number | 'entries';
  readonly index: number;
  /** 1 to 256; less than 256 only for the last tile of its level. */
  readonly width: number;
}

/** The path of a tile or bundle: `tile/0/x001/x234/067.p/12` (C2SP tlog-tiles, "Merkle Tree"). */
export function tilePath({ level, index, width }: TileName): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/\d{3}/g) ?? [];
  const name = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${name}${width < TILE_WIDTH ? `.p/${width}` : ''}`;
}

/** The folder in which the partial versions of a tile lie. */
export function partialFolder({ level, index }: Omit<TileName, 'width'>): string {
  return `${tilePath({ level, index, width: TILE_WIDTH })}.p`;
}

/** How many hashes level `level` has in a tree of `size` leaves. */
export function hashesAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** The width of tile `index` of `level` in a tree of `size` leaves; 0 when it does not exist. */
export function widthOf(level: number | 'entries', index: number, size: number): number {
  const hashes = hashesAt(level === 'entries' ? 0 : level, size);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** The root of a complete subtree whose leaves are the `2^height` hashes that begin at hash `start` of a tile. */
export function rootWithin(tile: Uint8Array, start: number, height: number): Uint8Array {
  const first = start * HASH_BYTES;
  if (height === 0) return tile.subarray(first, first + HASH_BYTES);
  const hashes = Buffer.alloc(2 ** (height - 1) * HASH_BYTES);
  let from: Uint8Array = tile.subarray(first, first + 2 ** height * HASH_BYTES);
  // Level by level in one buffer: what is written has been read already.
  for (let width = 2 ** (height - 1); width >= 1; width /= 2) {
    for (let i = 0; i < width; i++)
      hashes.set(
        nodeHash(
          from.subarray(2 * i * HASH_BYTES, (2 * i + 1) * HASH_BYTES),
          from.subarray((2 * i + 1) * HASH_BYTES, (2 * i + 2) * HASH_BYTES),
        ),
        i * HASH_BYTES,
      );
    from = hashes;
  }
  return hashes.subarray(0, HASH_BYTES);
}
