import { GlacisError } from '../core/error.ts';
import { type ByteSource, memorySource } from './byte-source.ts';
import { ELEMENT_BYTES, type ElementType } from './element-type.ts';
import { inflate } from './inflate.ts';
import { type ArrayLayout, elementCount, openArray, type StoredArray } from './stored-array.ts';

const TYPES: Readonly<Record<number, ElementType>> = {
  8: 'uint8',
  9: 'int8',
  11: 'int16',
  12: 'int32',
  13: 'float32',
  14: 'float64',
};

/** Four bytes of magic and at most 255 sizes of four bytes. */
const MAX_HEADER = 4 + 4 * 255;

/**
 * Opens an IDX array (the format of MNIST), plain or gzip-compressed; compressed files are held inflated in memory, up to
 * `maxBytes`. All numbers in the file are big-endian.
 *
 * Errors: `data/unreadable`, `data/too-large`, `run/cancelled`.
 * Source: http://yann.lecun.com/exdb/mnist/ ("the IDX file format")
 */
export async function openIdx(
  source: ByteSource,
  where: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<StoredArray> {
  const start = await source.read(0, Math.min(MAX_HEADER, source.size));
  if (!(start[0] === 0x1f && start[1] === 0x8b))
    return openArray(source, parseHeader(start, where), where, maxBytes);
  const declaredSize = (head: Uint8Array) => {
    const { offset, shape, type } = parseHeader(head, where);
    const count = elementCount(shape);
    return count === undefined ? Number.POSITIVE_INFINITY : offset + count * ELEMENT_BYTES[type];
  };
  const limits = { format: 'gzip', maxBytes, declaredSize, headBytes: MAX_HEADER } as const;
  const bytes = await inflate(source, limits, where, signal);
  await source.close();
  return openArray(memorySource(bytes, where), parseHeader(bytes, where), where, maxBytes);
}

/** True when `start` begins like an IDX file: two zero bytes and a known type. */
export function looksLikeIdx(start: Uint8Array): boolean {
  return start[0] === 0 && start[1] === 0 && TYPES[start[2] ?? 0] !== undefined && (start[3] ?? 0) > 0;
}

function parseHeader(head: Uint8Array, where: string): ArrayLayout {
  const type = TYPES[head[2] ?? 0];
  const axes = head[3] ?? 0;
  if (!looksLikeIdx(head) || type === undefined || head.length < 4 + 4 * axes) {
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected an IDX header (0, 0, type, axes), got other bytes`,
    );
  }
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { type, bigEndian: true, fortranOrder: false, shape, offset: 4 + 4 * axes };
}
