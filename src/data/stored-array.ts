import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import type { ByteSource } from './byte-source.ts';
import { decodeElements, ELEMENT_BYTES, type ElementType, type NumberArray } from './element-type.ts';

/** Where the elements of an array lie in a source of bytes. */
export interface ArrayLayout {
  readonly type: ElementType;
  readonly bigEndian: boolean;
  /** True when the first axis runs fastest (column-major). */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Byte of the first element. */
  readonly offset: number;
}

/** An array on disk or in memory that is read by ranges of its first axis. */
export interface StoredArray {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Entries `[start, start + count)` of the first axis, row-major. */
  read(start: number, count: number, signal?: AbortSignal): Promise<NumberArray>;
  close(): Promise<void>;
}

/** Number of elements of `shape`; `undefined` when it is not a safe integer. A scalar has one. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
  }
  return Number.isSafeInteger(count) ? count : undefined;
}

/**
 * An array over `source`. Its bytes must reach exactly to the end of the source: a file that goes on after its data
 * is refused, because what follows would be unread and unseen.
 *
 * A C-order array is read range by range and never held whole. A Fortran-order array of two or more axes interleaves its
 * samples, so it is loaded when it is opened, up to `maxBytes`.
 * Errors: `data/unreadable` (too few or too many bytes), `data/too-large`.
 */
export async function openArray(
  source: ByteSource,
  layout: ArrayLayout,
  where: string,
  maxBytes: number,
): Promise<StoredArray> {
  const { type, bigEndian, shape, offset } = layout;
  const width = ELEMENT_BYTES[type];
  const count = elementCount(shape);
  const expected = count === undefined ? undefined : offset + count * width;
  if (expected === undefined || expected !== source.size) {
    const wanted = expected === undefined ? 'a shape that can be addressed' : `${expected} bytes`;
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected ${wanted} for ${type} [${shape.join(', ')}], got ${source.size} bytes (is the file cut short or damaged?)`,
    );
  }
  const rows = shape[0] ?? 1;
  const rowElements = rows === 0 ? 0 : count! / rows;
  const interleaved = layout.fortranOrder && shape.filter((size) => size > 1).length > 1;
  let whole: NumberArray | undefined;
  if (interleaved) {
    if (count! * width > maxBytes) {
      throw new GlacisError(
        'data/too-large',
        `${where}: expected at most ${maxBytes} bytes in Fortran order, got ${count! * width}; save it in C order (numpy.ascontiguousarray)`,
      );
    }
    whole = decodeElements(await source.read(offset, count! * width), type, bigEndian);
  }
  return {
    type,
    shape,
    async read(start, length, signal) {
      throwIfCancelled(signal, where);
      requireRows(start, length, rows, where);
      if (whole) return gatherRows(whole, shape, start, length);
      const bytes = await source.read(offset + start * rowElements * width, length * rowElements * width);
      return decodeElements(bytes, type, bigEndian);
    },
    close: () => source.close(),
  };
}

/** Throws `option/invalid` unless `[start, start + count)` lies within `[0, rows)`. */
export function requireRows(start: number, count: number, rows: number, where: string): void {
  const good = Number.isSafeInteger(start) && Number.isSafeInteger(count) && start >= 0 && count >= 0;
  if (!good || start + count > rows) {
    throw new GlacisError(
      'option/invalid',
      `${where}: expected samples within 0 to ${rows}, got ${count} from ${start}`,
    );
  }
}

/** Rows of a column-major array, row-major: element (i, j, k) lies at i + n₀·(j + n₁·k). */
function gatherRows(
  whole: NumberArray,
  shape: readonly number[],
  start: number,
  length: number,
): NumberArray {
  const rows = shape[0]!;
  const inner = shape.slice(1);
  const rowElements = inner.reduce((product, size) => product * size, 1);
  const offsets = new Float64Array(rowElements);
  const index = new Array<number>(inner.length).fill(0);
  for (let e = 0; e < rowElements; e++) {
    let offset = 0;
    for (let axis = inner.length - 1; axis >= 0; axis--) offset = index[axis]! + inner[axis]! * offset;
    offsets[e] = offset * rows;
    for (let axis = inner.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < inner[axis]!) break;
      index[axis] = 0;
    }
  }
  const result = whole.slice(0, length * rowElements);
  for (let row = 0; row < length; row++) {
    for (let e = 0; e < rowElements; e++) result[row * rowElements + e] = whole[start + row + offsets[e]!]!;
  }
  return result;
}
